import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import type * as S3 from '@aws-sdk/client-s3';
import type { S3Origin } from '../core/material-origin.ts';

/** What is asked of S3: one object, unless it is still the one that `etag` names. */
export interface S3Get {
  readonly object: S3Origin;
  readonly etag: string | undefined;
  readonly signal: AbortSignal;
}

export type S3Answer =
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'found';
      readonly body: Readable;
      /** In bytes, as announced. */
      readonly length: number | undefined;
      readonly etag: string | undefined;
    };

export interface S3Client {
  /** Has the credentials at hand that `get` will use. @throws what the standard chain of providers throws */
  authenticate(): Promise<void>;
  /** @throws the error of the AWS SDK */
  get(what: S3Get): Promise<S3Answer>;
  destroy(): void;
}

/** Where the SDK asks when nobody names a region: S3 answers there with the region that a bucket is in. */
const FALLBACK_REGION = 'us-east-1';

/**
 * A client with the standard AWS chains for credentials, region and endpoint, loaded when first needed: it costs some
 * 130 ms and 25 MB. An endpoint of one's own gets paths of the form `/bucket/key`, as few S3-compatible stores have a
 * host name for each bucket.
 *
 * It asks for credentials once, when they are first needed, and again when they expire. A new client asks anew: of the files
 * too, which the SDK would otherwise read once in the life of the process.
 *
 * @param connectMs time to connect
 * @param lookup looks its names up; default: Node's own way
 */
export async function connectS3(connectMs: number, lookup?: LookupFunction): Promise<S3Client> {
  const [sdk, { fromNodeProviderChain }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@aws-sdk/credential-providers'),
  ]);
  const probe = makeClient(sdk, {});
  const region = await probe.config.region().catch(() => FALLBACK_REGION);
  const endpoint = await probe.config.serviceConfiguredEndpoint?.();
  probe.destroy();
  // The next look is a minute away: a connection that is kept would be a dead one by then.
  const agent = { keepAlive: false, ...(lookup && { lookup }) };
  const requestHandler = { connectionTimeout: connectMs, httpAgent: agent, httpsAgent: agent };
  const client = makeClient(sdk, {
    region,
    credentials: fromNodeProviderChain({
      ignoreCache: true,
      logger: SILENT,
      clientConfig: { region, requestHandler, logger: SILENT },
    }),
    forcePathStyle: endpoint !== undefined,
    followRegionRedirects: true,
    // Who asks again, and when, is decided once for files and S3 alike.
    maxAttempts: 1,
    // The SDK passes a body on through a stream of its own for this, which never ends when the connection breaks.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler,
  });
  return new SdkClient(sdk, client);
}

class SdkClient implements S3Client {
  readonly #sdk: typeof S3;
  readonly #client: S3.S3Client;

  constructor(sdk: typeof S3, client: S3.S3Client) {
    this.#sdk = sdk;
    this.#client = client;
  }

  async authenticate(): Promise<void> {
    await this.#client.config.credentials();
  }

  async get({ object, etag, signal }: S3Get): Promise<S3Answer> {
    const { bucket, key } = object;
    const input = { Bucket: bucket, Key: key, ...(etag !== undefined && { IfNoneMatch: etag }) };
    try {
      const found = await this.#client.send(new this.#sdk.GetObjectCommand(input), { abortSignal: signal });
      // In Node the body is always a stream of Node.
      return { kind: 'found', body: found.Body as Readable, length: found.ContentLength, etag: found.ETag };
    } catch (error) {
      if (
        etag !== undefined &&
        error instanceof this.#sdk.S3ServiceException &&
        error.$metadata.httpStatusCode === 304
      ) {
        return { kind: 'unchanged' };
      }
      throw error;
    }
  }

  destroy(): void {
    this.#client.destroy();
  }
}

/** With a logger, or the SDK would write to the console; without its advice on versions of Node on stderr. */
function makeClient(sdk: typeof S3, options: S3.S3ClientConfig): S3.S3Client {
  const { env } = process;
  const before = env[VERSION_ADVICE];
  env[VERSION_ADVICE] = 'true';
  try {
    return new sdk.S3Client({ ...options, logger: SILENT });
  } finally {
    if (before === undefined) Reflect.deleteProperty(env, VERSION_ADVICE);
    else env[VERSION_ADVICE] = before;
  }
}

const VERSION_ADVICE = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';
const ignore = (): void => undefined;
const SILENT = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };
