import { errnoOf } from '../core/errors.ts';

/** What is logged of an error. Libraries hang requests, options and credentials on theirs, so nothing else is taken. */
export interface SerializedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: SerializedError;
}

const MAX_TEXT = 4_096;
const MAX_CAUSES = 3;

/** @param error anything that was thrown */
export function serializeError(error: unknown, depth = 0): SerializedError {
  if (!(error instanceof Error)) return { type: typeof error, message: shorten(describe(error)) };
  const code = errnoOf(error);
  return {
    type: error.name,
    message: shorten(error.message),
    ...(code === 'UNKNOWN' ? {} : { code }),
    ...(error.stack === undefined ? {} : { stack: shorten(error.stack) }),
    ...(error.cause === undefined || depth >= MAX_CAUSES ? {} : { cause: serializeError(error.cause, depth + 1) }),
  };
}

/** Text of others, bounded: a log line must not grow with what a peer or a registry sends. */
export function shorten(text: string, max = MAX_TEXT): string {
  return text.length <= max ? text : `${text.slice(0, max)}… (${text.length} characters)`;
}

function describe(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'a value without text';
  }
}
