import { formatMaterialOrigin, type S3Origin } from '../core/material-origin.ts';
import { errnoOf } from '../core/errors.ts';
import { missingFor } from '../core/optional-packages.ts';
import { MaterialError, unavailable } from './material-error.ts';

/**
 * Names the fault behind anything that was thrown while an object was being read. Of the error itself only its status
 * and its class are shown: its text and its fields hold signatures and key ids.
 */
export function s3Fault(error: unknown, object: S3Origin): MaterialError {
  if (error instanceof MaterialError) return error;
  const origin = formatMaterialOrigin(object);
  const missing = errnoOf(error) === 'ERR_MODULE_NOT_FOUND' ? missingFor('s3') : undefined;
  if (missing !== undefined) return unavailable(origin, `S3 ${missing}`, false);
  const name = classOf(error);
  const status = statusOf(error);
  const what = status === undefined ? name : name === UNNAMED ? `${status}` : `${status} ${name}`;
  const canPass = status === undefined ? !FINAL.has(name) : PASSING.has(name) || isPassing(status);
  return unavailable(
    origin,
    `expected an object that can be read, found ${foundBy(status, name, object)} (${what})`,
    canPass,
  );
}

/** No provider of the standard chain has any: one that is reached over the network may have some in a moment. */
export function credentialsFault(error: unknown, object: S3Origin): MaterialError {
  const places = 'environment, profile, web identity, container, instance role';
  const message = `expected AWS credentials to read it with, found none (${classOf(error)}; asked: ${places})`;
  return unavailable(formatMaterialOrigin(object), message, true);
}

/**
 * Whether S3 refused who asked, so that other credentials may be let in: by a status, or with another status by its name
 * (AWS answers 400 for a token that has expired). A clock that is wrong refuses any credentials.
 */
export function isRefusal(error: unknown): boolean {
  const [name, status] = [classOf(error), statusOf(error)];
  if (name === 'RequestTimeTooSkewed') return false;
  return status === 401 || status === 403 || REFUSALS.has(name);
}

const REFUSALS: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSecurity',
  'InvalidToken',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
  'UnrecognizedClientException',
]);

function foundBy(status: number | undefined, name: string, { bucket }: S3Origin): string {
  if (status === undefined) return 'no answer';
  if (name === 'NoSuchBucket') return `no bucket ${bucket}`;
  if (status === 404) return 'none';
  if (status === 401 || status === 403) return 'that access is denied';
  if (status === 301 || status === 307) return 'that the bucket is in another region';
  return status >= 500 ? 'S3 in trouble' : 'that S3 refuses';
}

/** Credentials that a file or the network renews, and a clock that is being set, whatever their status. */
const PASSING: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'RequestTimeTooSkewed',
  'RequestTimeout',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
]);

function isPassing(status: number): boolean {
  return status >= 500 || status === 429 || status === 408 || status === 307 || status < 300;
}

/** What was never asked over the network: an endpoint or a region that cannot be, the SDK that is not there. */
const FINAL: ReadonlySet<string> = new Set(['ERR_INVALID_URL', 'EndpointError', 'ERR_MODULE_NOT_FOUND']);

const UNNAMED = 'UNKNOWN';
/** What the SDK calls an error without a name. */
const NAMELESS: ReadonlySet<string> = new Set(['Error', 'Unknown', 'UnknownError']);

function classOf(error: unknown): string {
  const errno = errnoOf(error);
  const name = errno !== 'UNKNOWN' || !(error instanceof Error) ? errno : error.name;
  return /^[A-Za-z][A-Za-z0-9_.]{0,63}$/.test(name) && !NAMELESS.has(name) ? name : UNNAMED;
}

/** The SDK has it in one place for answers it understands, and in another for those it cannot read. */
function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { $metadata, $response } = error as {
    readonly $metadata?: { readonly httpStatusCode?: unknown };
    readonly $response?: { readonly statusCode?: unknown };
  };
  const status = $metadata?.httpStatusCode ?? $response?.statusCode;
  return typeof status === 'number' ? status : undefined;
}
