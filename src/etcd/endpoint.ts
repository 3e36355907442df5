import { isIP } from 'node:net';
import { AttacheError } from '../core/errors.ts';
import { readBounded } from '../files/read-file.ts';
import { withoutMark } from '../files/text.ts';

/** One member of the etcd cluster, as it was configured. */
export interface EtcdEndpoint {
  readonly secure: boolean;
  /** Name or IP literal, without brackets. */
  readonly host: string;
  readonly port: number;
  /** `host:port` for messages: never more of the URL than that. */
  readonly label: string;
}

/** Paths of PEM files. */
export interface EtcdTlsPaths {
  readonly caCertPath?: string | undefined;
  readonly certPath?: string | undefined;
  readonly keyPath?: string | undefined;
}

export interface EtcdTlsMaterial {
  /** Undefined: the authorities that Node trusts. */
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  /** Name that the certificate must carry and that is sent as SNI; undefined for an IP literal. */
  readonly serverName: string | undefined;
}

/**
 * @param url `http://host:port` or `https://host:port`
 * @throws AttacheError `config_invalid` when it is something else; the text is not repeated, it may hold a password
 */
export function parseEndpoint(url: string): EtcdEndpoint {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol) || parsed.hostname === '') {
    throw new AttacheError('config_invalid', 'an etcd endpoint must be http://host:port or https://host:port');
  }
  const secure = parsed.protocol === 'https:';
  // The URL parser drops a port that is its scheme's default.
  const port = parsed.port === '' ? (secure ? 443 : 80) : Number(parsed.port);
  return { secure, host: parsed.hostname.replace(/^\[|\]$/g, ''), port, label: `${parsed.hostname}:${port}` };
}

/**
 * Reads the files anew for each session, so that a renewed certificate is used without a restart.
 *
 * @returns undefined for a plain endpoint
 * @throws the file system's error, or a FileFault
 */
export async function readTlsMaterial(
  endpoint: EtcdEndpoint,
  paths: EtcdTlsPaths,
): Promise<EtcdTlsMaterial | undefined> {
  if (!endpoint.secure) return undefined;
  const [ca, cert, key] = await Promise.all([paths.caCertPath, paths.certPath, paths.keyPath].map(readIfNamed));
  return { ca, cert, key, serverName: isIP(endpoint.host) === 0 ? endpoint.host : undefined };
}

async function readIfNamed(path: string | undefined): Promise<Buffer | undefined> {
  return path === undefined ? undefined : withoutMark((await readBounded(path)).bytes);
}
