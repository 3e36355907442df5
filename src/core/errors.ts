/** The closed list of faults attache reports; code switches on these, never on message text. */
export type ErrorCode =
  | 'config_invalid'
  | 'nothing_listening'
  | 'discovery_unreachable'
  | 'discovery_refused'
  | 'discovery_stale'
  | 'tls_material_invalid'
  | 'tls_material_unavailable'
  | 'closed'
  | 'internal';

/** An error with a code from {@link ErrorCode}, whether trying again can help, and its cause. */
export class AttacheError extends Error {
  /** The kind of the fault; the list is closed, so a `switch` can name all kinds. */
  readonly code: ErrorCode;
  /** Whether the same call can succeed later with the same configuration. */
  readonly retryable: boolean;

  /** `retryable` is false unless told; `cause` is the error that led to this one. */
  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly retryable?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'AttacheError';
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/** One fault of a configuration: the setting, the expected value and the given value. `got` never holds a secret. */
export interface ConfigFault {
  /** The variable, flag or JSON path as the user typed it, e.g. `DST_PG` or `SERVICES[1].src`. */
  readonly setting: string;
  /** The whole sentence after the setting's name. */
  readonly message: string;
}

/** Every fault of a configuration at once. `message` is the report a user reads. */
export class ConfigError extends AttacheError {
  /** All faults that were found, so that one run shows them all. */
  readonly faults: readonly ConfigFault[];
  /** Faults that would not have stopped a start but may be the cause of another, e.g. a misspelt variable. */
  readonly warnings: readonly string[];

  /** `message` becomes one line for each fault, then one for each warning. */
  constructor(faults: readonly ConfigFault[], warnings: readonly string[] = []) {
    const lines = faults.map((fault) => `${fault.setting}: ${fault.message}`);
    super('config_invalid', [...lines, ...warnings.map((warning) => `warning: ${warning}`)].join('\n'));
    this.name = 'ConfigError';
    this.faults = [...faults];
    this.warnings = [...warnings];
  }
}

declare const errno: unique symbol;

/** A code that an error carried: not one that was written out, so nothing is misspelt in it. Only {@link errnoOf} makes one. */
export type Errno = string & { readonly [errno]: true };

/** The errno name of a system error (`ECONNREFUSED`), a TLS or other library's code, or `UNKNOWN`. */
export function errnoOf(error: unknown): Errno {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code as Errno;
  return 'UNKNOWN' as Errno;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether an errno means "the other side went away", as against a fault of ours or of the network. */
export function isPeerReset(errno: string): boolean {
  return errno === 'ECONNRESET' || errno === 'EPIPE' || errno === 'ECONNABORTED';
}
