/** The closed list of faults attache reports; code switches on these, never on message text. */
export type ErrorCode =
  | 'config_invalid'
  | 'listen_failed'
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
  readonly code: ErrorCode;
  readonly retryable: boolean;

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

/** One fault of a configuration: which setting, what was expected, what was got. `got` never holds a secret. */
export interface ConfigFault {
  /** The variable, flag or JSON path as the user typed it, e.g. `DST_PG` or `SERVICES[1].src`. */
  readonly setting: string;
  /** The whole sentence after the setting's name. */
  readonly message: string;
}

/** Every fault of a configuration at once. `message` is the report a user reads. */
export class ConfigError extends AttacheError {
  readonly faults: readonly ConfigFault[];
  /** What would not have stopped a start, but may be why something is missing: a misspelt variable. */
  readonly warnings: readonly string[];

  constructor(faults: readonly ConfigFault[], warnings: readonly string[] = []) {
    const lines = faults.map((fault) => `${fault.setting}: ${fault.message}`);
    super('config_invalid', [...lines, ...warnings.map((warning) => `warning: ${warning}`)].join('\n'));
    this.name = 'ConfigError';
    this.faults = [...faults];
    this.warnings = [...warnings];
  }
}

/** The errno name of a system error (`ECONNREFUSED`), a TLS or other library's code, or `UNKNOWN`. */
export function errnoOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code;
  return 'UNKNOWN';
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
