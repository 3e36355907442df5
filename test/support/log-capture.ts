import { Writable } from 'node:stream';
import { createLogger, type Log, type LoggerOptions } from '../../src/logging/logger.ts';
import { streamOutlet } from '../../src/logging/stream-outlet.ts';

/** A log that writes into memory. */
export class LogCapture {
  readonly log: Log;
  readonly #chunks: Buffer[];

  private constructor(log: Log, chunks: Buffer[]) {
    this.log = log;
    this.#chunks = chunks;
  }

  static async create(options: Partial<LoggerOptions> = {}): Promise<LogCapture> {
    const chunks: Buffer[] = [];
    const destination = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk);
        done();
      },
    });
    const log = await createLogger({
      level: 'debug',
      format: 'json',
      destination: streamOutlet(destination),
      ...options,
    });
    return new LogCapture(log, chunks);
  }

  /** All that was printed so far. */
  async text(): Promise<string> {
    await this.log.close();
    return Buffer.concat(this.#chunks).toString();
  }

  /** Every line so far as an object; throws when one is no JSON. */
  async lines(): Promise<Record<string, unknown>[]> {
    const text = await this.text();
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}
