import type { Writable } from 'node:stream';
import { pino, type Logger } from 'pino';
import { cleanLine } from './clean-line.ts';
import { LineSink } from './line-sink.ts';
import { prettyPrinter } from './pretty.ts';
import { serializeError } from './serialize-error.ts';
import { timestamp } from './timestamp.ts';

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** One JSON object a line, or lines for people. */
  readonly format: 'json' | 'pretty';
  /** Where lines go. */
  readonly destination: Writable;
}

/** The log of one process. Errors are logged under `err`. */
export interface Log {
  readonly logger: Logger;
  /** Takes a whole line, with its newline, that pino has no part in; it must be clean already. */
  write(line: string): void;
  /** Hands over what waits at once; to be called when the process exits without `close`. */
  flush(): void;
  /** Resolves when every line is written, or after a second of a reader that does not read. May be called twice. */
  close(): Promise<void>;
}

const CLOSE_DEADLINE_MS = 1_000;
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
  const { destination: stream } = options;
  const print = options.format === 'pretty' ? await prettyPrinter({ colors: isTerminal(stream) }) : undefined;
  const render = (line: string) => (print === undefined ? cleanLine(line) : print(cleanLine(line)));
  const sink = new LineSink({ stream, dropped: (lines) => render(dropNotice(lines)) });
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
    close: () => sink.close(CLOSE_DEADLINE_MS),
  };
}

function dropNotice(lines: number): string {
  const line = { level: 'warn', time: new Date().toISOString(), lines, msg: 'log lines dropped' };
  return `${JSON.stringify(line)}\n`;
}

function isTerminal(stream: Writable): boolean {
  return 'isTTY' in stream && stream.isTTY === true;
}
