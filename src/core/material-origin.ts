/** Where one PEM text of TLS material comes from. */
export type MaterialOrigin = FileOrigin | S3Origin;

/** A PEM file. */
export interface FileOrigin {
  readonly kind: 'file';
  /** Its path, absolute or from the working directory. */
  readonly path: string;
}

/** An object in a bucket of S3. */
export interface S3Origin {
  readonly kind: 's3';
  /** Name of the bucket. */
  readonly bucket: string;
  /** As it is in the bucket: nothing in it is percent-encoded. */
  readonly key: string;
}

/** The three PEM texts that TLS material is made of. */
export type PartName = 'ca' | 'cert' | 'key';

/** What is to be read; a part that is absent is not wanted. */
export type MaterialOrigins = Readonly<Partial<Record<PartName, MaterialOrigin>>>;

/** Names of the parts in a directory, or below a prefix. */
export const partFiles: Readonly<Record<PartName, string>> = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' };

export type ParsedMaterialOrigin =
  { readonly ok: true; readonly origin: MaterialOrigin } | { readonly ok: false; readonly reason: string };

export type ParsedMaterialFolder =
  | { readonly ok: true; readonly origins: Readonly<Record<PartName, MaterialOrigin>> }
  | { readonly ok: false; readonly reason: string };

/** As S3 allows for buckets made today, and the dots, underscores and capitals of older ones. */
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,253}[a-z0-9]$/i;
const MAX_KEY_BYTES = 1024;
// eslint-disable-next-line no-control-regex -- control characters are what is being refused
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * Parses the place of one PEM text: a path, `file:///path` or `s3://bucket/key`. Never throws; `reason` fits behind
 * "expected" and repeats nothing of `text`.
 */
export function parseMaterialOrigin(text: string): ParsedMaterialOrigin {
  const place = parsePlace(text);
  if (typeof place === 'string') return { ok: false, reason: place };
  if (place.kind === 's3' && (place.key === '' || place.key.endsWith('/'))) {
    return { ok: false, reason: 'an object, as in s3://bucket/prefix/cert.pem' };
  }
  return { ok: true, origin: place };
}

/**
 * Parses the place of all three: a directory, `file:///directory` or `s3://bucket/prefix`, in which they have the names
 * of {@link partFiles}. Never throws; `reason` fits behind "expected" and repeats nothing of `text`.
 */
export function parseMaterialFolder(text: string): ParsedMaterialFolder {
  const place = parsePlace(text);
  if (typeof place === 'string') return { ok: false, reason: place };
  const within = (name: PartName): MaterialOrigin => placeIn(place, partFiles[name]);
  return { ok: true, origins: { ca: within('ca'), cert: within('cert'), key: within('key') } };
}

/** The path, or the `s3://` URI. */
export function formatMaterialOrigin(origin: MaterialOrigin): string {
  return origin.kind === 'file' ? origin.path : `s3://${origin.bucket}/${origin.key}`;
}

function placeIn(folder: MaterialOrigin, name: string): MaterialOrigin {
  if (folder.kind === 'file') return { kind: 'file', path: `${folder.path.replace(/\/+$/, '')}/${name}` };
  const prefix = folder.key.replace(/\/$/, '');
  return { ...folder, key: prefix === '' ? name : `${prefix}/${name}` };
}

/** The place, or what was expected instead. */
function parsePlace(text: string): MaterialOrigin | string {
  if (text === '' || CONTROL.test(text)) return 'a path, file:// or s3:// without control characters';
  if (/^s3:/i.test(text)) return parseS3(text);
  if (/^file:/i.test(text)) return parseFileUrl(text);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return 'a path, file:// or s3://';
  return { kind: 'file', path: text };
}

function parseFileUrl(text: string): MaterialOrigin | string {
  const path = /^file:\/\/(?:localhost)?(\/[^?#]*)$/i.exec(text)?.[1];
  const wanted = 'file:// and an absolute path, as in file:///etc/tls/cert.pem';
  if (path === undefined || /%(?:2f|00)/i.test(path)) return wanted;
  try {
    const decoded = decodeURIComponent(path);
    return CONTROL.test(decoded) ? wanted : { kind: 'file', path: decoded };
  } catch {
    return wanted;
  }
}

/** The key is taken literally, as by the AWS command line. */
function parseS3(text: string): MaterialOrigin | string {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]*)(?:\/(.*))?$/i.exec(text) ?? [];
  if (!BUCKET.test(bucket) || bucket.includes('..')) return 's3:// and a bucket, as in s3://bucket/prefix';
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `a key of at most ${MAX_KEY_BYTES} bytes`;
  // On its way through a URL such a part would be resolved, and lead out of the prefix or the bucket.
  if (key.replace(/\/$/, '').split('/').some(isNoName) && key !== '') {
    return 'a key without empty, "." or ".." parts';
  }
  return { kind: 's3', bucket, key };
}

function isNoName(part: string): boolean {
  return part === '' || part === '.' || part === '..';
}
