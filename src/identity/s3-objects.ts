import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { formatMaterialOrigin, type S3Origin } from '../core/material-origin.ts';
import { expectAwsFiles } from './aws-files.ts';
import { Deadline } from './deadline.ts';
import { FaultCollector, unavailable } from './material-error.ts';
import { MAX_PART_BYTES, tooLarge, type MaterialPart } from './parts.ts';
import { connectS3, type S3Answer, type S3Client } from './s3-client.ts';
import { credentialsFault, isRefusal, s3Fault } from './s3-fault.ts';

/** How long S3 is waited for, ms. */
export interface S3Timing {
  /** To connect. */
  readonly connectMs: number;
  /** From asking until the head of the answer, credentials included. */
  readonly answerMs: number;
  /** Without a byte of the body. */
  readonly stallMs: number;
  /** For one object, all in all. */
  readonly totalMs: number;
}

export const s3Timing: S3Timing = { connectMs: 5_000, answerMs: 10_000, stallMs: 5_000, totalMs: 30_000 };

/** Reads objects of S3, and one that has not changed since without its body. Writes nothing to disk. */
export class S3Objects {
  readonly #timing: S3Timing;
  readonly #lookup: LookupFunction | undefined;
  readonly #held = new Map<string, { readonly etag: string; readonly bytes: Buffer }>();
  #client: Promise<S3Client> | undefined;
  #stopped = false;

  constructor(timing: S3Timing = s3Timing, lookup?: LookupFunction) {
    this.#timing = timing;
    this.#lookup = lookup;
  }

  /**
   * One object after the other: while the SDK follows a bucket to its region, it changes the region of the client under
   * every other request. After one that is late or in trouble the others are not asked for: they would only be late too.
   *
   * Credentials that are refused may have been rotated. They are thrown away, and the object is asked for once more with what
   * is found now, once a call.
   *
   * @throws MaterialError; the signal's reason
   */
  async readAll(objects: readonly S3Origin[], signal: AbortSignal): Promise<readonly MaterialPart[]> {
    const faults = new FaultCollector();
    const parts: MaterialPart[] = [];
    const look: Look = { signal, mayRenew: true };
    for (const object of objects) {
      const part = await faults.settle(this.#read(object, look));
      if (part !== undefined) parts.push(part);
      else if (faults.canPass) break;
    }
    faults.throwIfAny();
    return parts;
  }

  async #read(object: S3Origin, look: Look): Promise<MaterialPart> {
    const { answerMs, totalMs } = this.#timing;
    const origin = formatMaterialOrigin(object);
    const deadline = new Deadline(look.signal);
    const late = (what: string) => () => unavailable(origin, `expected ${what}`, true);
    deadline.allow('total', totalMs, late(`the whole object within ${totalMs} ms, found that it takes longer`));
    deadline.allow('progress', answerMs, late(`an answer of S3 within ${answerMs} ms, found none`));
    try {
      return { origin, bytes: await deadline.race(this.#fetch(object, deadline)) };
    } catch (error) {
      if (deadline.signal.aborted) throw deadline.signal.reason;
      if (!isRefusal(error)) throw s3Fault(error, object);
      // Even where it is not tried again: the next call must not begin with what is refused.
      this.#disconnect();
      if (!look.mayRenew || this.#stopped) throw s3Fault(error, object);
    } finally {
      deadline.end();
    }
    look.mayRenew = false;
    return this.#read(object, look);
  }

  /** Ends what is under way; nothing can be read any more. */
  stop(): void {
    this.#stopped = true;
    this.#held.clear();
    this.#disconnect();
  }

  /** What is read next is read by a new client, with credentials that it finds then. */
  #disconnect(): void {
    this.#client?.then(
      (client) => client.destroy(),
      () => undefined,
    );
    this.#client = undefined;
  }

  async #fetch(object: S3Origin, deadline: Deadline): Promise<Buffer> {
    const origin = formatMaterialOrigin(object);
    await expectAwsFiles(process.env);
    const client = await this.#connected();
    await client.authenticate().catch((error: unknown) => {
      this.#disconnect();
      throw credentialsFault(error, object);
    });
    const held = this.#held.get(origin);
    const answer = await client.get({ object, etag: held?.etag, signal: deadline.signal });
    if (answer.kind === 'unchanged') {
      if (held !== undefined) return held.bytes;
      throw unavailable(origin, 'expected an object that can be read, found it unchanged', true);
    }
    const bytes = await this.#collect(answer, origin, deadline);
    if (answer.etag === undefined || this.#stopped) this.#held.delete(origin);
    else this.#held.set(origin, { etag: answer.etag, bytes });
    return bytes;
  }

  async #connected(): Promise<S3Client> {
    this.#client ??= connectS3(this.#timing.connectMs, this.#lookup);
    try {
      return await this.#client;
    } catch (error) {
      this.#client = undefined;
      throw error;
    }
  }

  async #collect({ body, length }: FoundObject, origin: string, deadline: Deadline): Promise<Buffer> {
    const { stallMs } = this.#timing;
    if (length !== undefined && length > MAX_PART_BYTES) return refuse(body, origin);
    const end = (): void => void body.destroy();
    if (deadline.signal.aborted) end();
    deadline.signal.addEventListener('abort', end, { once: true });
    const stalled = () => unavailable(origin, `expected its next byte within ${stallMs} ms, found none`, true);
    const chunks: Buffer[] = [];
    let received = 0;
    try {
      deadline.allow('progress', stallMs, stalled);
      for await (const chunk of body as AsyncIterable<Buffer>) {
        deadline.allow('progress', stallMs, stalled);
        received += chunk.length;
        if (received > MAX_PART_BYTES) return refuse(body, origin);
        chunks.push(chunk);
      }
    } finally {
      deadline.signal.removeEventListener('abort', end);
    }
    if (length !== undefined && received !== length) {
      throw unavailable(origin, `expected ${length} bytes, found ${received}`, true);
    }
    return Buffer.concat(chunks);
  }
}

/** One call of `readAll`. */
interface Look {
  readonly signal: AbortSignal;
  /** Whether refused credentials may still be replaced: once, or a store that denies access would be asked without end. */
  mayRenew: boolean;
}

type FoundObject = Extract<S3Answer, { readonly kind: 'found' }>;

function refuse(body: Readable, origin: string): never {
  body.destroy();
  throw tooLarge(origin);
}
