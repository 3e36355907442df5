import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf } from './programs.ts';

/** One end's files. */
export interface Identity {
  readonly folder: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Certificate and key in one file, as HAProxy wants them. */
  readonly both: string;
}

/** A new authority with a certificate for each end: P-256, as attache's own guide makes them. */
export interface Certificates {
  /** Its name is `localhost`. */
  readonly server: Identity;
  readonly client: Identity;
}

/** Makes them with `script` (deploy/mtls/make-certificates), which needs openssl. */
export async function makeCertificates(script: string, folder: string): Promise<Certificates> {
  const said = await outputOf('/bin/sh', [script, folder]);
  try {
    return { server: identity(folder, 'server'), client: identity(folder, 'client') };
  } catch (error) {
    throw new Error(`no certificates were made: ${said.trim()}`, { cause: error });
  }
}

function identity(folder: string, name: string): Identity {
  const file = (part: string) => join(folder, name, part);
  const both = join(folder, `${name}-both.pem`);
  writeFileSync(both, readFileSync(file('cert.pem'), 'utf8') + readFileSync(file('key.pem'), 'utf8'), { mode: 0o600 });
  return { folder: join(folder, name), ca: file('ca.pem'), cert: file('cert.pem'), key: file('key.pem'), both };
}
