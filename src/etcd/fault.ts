import { AttacheError, errnoOf, messageOf, type ErrorCode } from '../core/errors.ts';

/** Why etcd cannot be reached or believed: a class that stays the same while the cause does, and a short text. */
export class EtcdFault extends AttacheError {
  /** errno name, class of the client library's error, or one of ours: `TIMEOUT`, `WATCH_LOST`, ... */
  readonly label: string;

  constructor(label: string, message: string, options: { readonly code?: ErrorCode; readonly cause?: unknown } = {}) {
    super(options.code ?? 'discovery_unreachable', message, { retryable: true, cause: options.cause });
    this.name = 'EtcdFault';
    this.label = label;
  }
}

export interface FaultContext {
  /** `host:port` of the endpoint that was asked. */
  readonly endpoint: string;
  /** Texts that must not come out, whatever a library put into its message. */
  readonly secrets: readonly (string | undefined)[];
}

/** etcd answered, and does not want us: asking again soon only costs it CPU. */
const REFUSALS: ReadonlySet<string> = new Set([
  'EtcdAuthenticationFailedError',
  'EtcdInvalidAuthTokenError',
  'EtcdPermissionDeniedError',
  'EtcdUserNotFoundError',
  'GRPCUnauthenticatedError',
]);

const TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'reset the connection',
  ENOTFOUND: 'is a name that cannot be resolved',
  EAI_AGAIN: 'is a name that cannot be resolved at the moment',
  DNS_TIMEOUT: 'is a name that no name server answers for',
  LOOKUP_BUSY: 'is a name whose look-up could not begin in time',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
};

const LONGEST_TEXT = 200;

/** Names the fault behind anything that was thrown while `context.endpoint` was being asked. */
export function faultOf(error: unknown, context: FaultContext): EtcdFault {
  if (error instanceof EtcdFault) return error;
  const label = labelOf(error);
  const text = TEXTS[label] ?? withoutSecrets(messageOf(error), context.secrets);
  return new EtcdFault(label, `${context.endpoint} ${text}`.slice(0, LONGEST_TEXT), {
    code: REFUSALS.has(label) ? 'discovery_refused' : 'discovery_unreachable',
    cause: error,
  });
}

/** What a `SourceState` carries. */
export function etcdFaultText(fault: EtcdFault): string {
  return `${fault.label}: ${fault.message}`;
}

function labelOf(error: unknown): string {
  const errno = errnoOf(error);
  if (errno !== 'UNKNOWN') return errno;
  return error instanceof Error ? error.constructor.name : 'UNKNOWN';
}

function withoutSecrets(text: string, secrets: readonly (string | undefined)[]): string {
  return secrets.reduce<string>((clean, secret) => (secret ? clean.replaceAll(secret, '[redacted]') : clean), text);
}
