import { pino, type Logger } from 'pino';
import { cleanLine } from './clean-line.ts';
import { LineSink } from './line-sink.ts';
import type { Outlet } from './outlet.ts';
import { prettyPrinter } from './pretty.ts';
import { serializeError } from './serialize-error.ts';
import { timestamp } from './timestamp.ts';

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** One JSON object a line, or lines for people. */
  readonly format: 'json' | 'pretty';
  /** Where lines go. */
  readonly destination: Outlet;
}

/** The log of one process. Errors are logged under `err`. */
export interface Log {
  readonly logger: Logger;
  /** Takes a whole line, with its newline, that pino has no part in; it must be clean already. */
  write(line: string): void;
  /** Hands over what waits at once; to be called when the process exits without `close`. */
  flush(): void;
  /**
   * Resolves when every line is written, or nobody has read any for `stallMs` (default 500). May be called twice.
   */
  close(stallMs?: number): Promise<void>;
  /** Lines that were dropped since the start, as nobody read them in time. */
  readonly droppedLines: number;
}

/** How long the end of the process waits for a reader that does not read. */
const CLOSE_STALL_MS = 500;
/** Top-level names that never hold anything to show. Each costs nothing until it occurs; wildcards would cost every line. */
const SECRET_FIELDS = [
  'password',
  'passwd',
  'secret',
  'token',
  'credentials',
  'authorization',
  'privateKey',
  'secretAccessKey',
  'sessionToken',
  'ETCD_PASSWORD',
  'ETCDCTL_PASSWORD',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
];

/** Makes the log. Loads the pretty printer only when it is wanted. */
export async function createLogger(options: LoggerOptions): Promise<Log> {
  const { destination: outlet } = options;
  const print = options.format === 'pretty' ? await prettyPrinter({ colors: outlet.isTerminal }) : undefined;
  const render = (line: string) => (print === undefined ? cleanLine(line) : print(cleanLine(line)));
  const sink = new LineSink({ outlet, dropped: (lines) => render(dropNotice(lines)) });
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => timestamp(),
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => serializeError(error) },
      redact: { paths: SECRET_FIELDS, censor: '[redacted]' },
    },
    { write: (line) => sink.write(render(line)) },
  );
  return {
    logger,
    write: (line) => sink.write(print === undefined ? line : print(line)),
    flush: () => sink.flush(),
    close: (stallMs = CLOSE_STALL_MS) => sink.close(stallMs),
    get droppedLines() {
      return sink.droppedLines;
    },
  };
}

function dropNotice(lines: number): string {
  const line = { level: 'warn', time: new Date().toISOString(), lines, msg: 'log lines dropped' };
  return `${JSON.stringify(line)}\n`;
}
