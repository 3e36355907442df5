import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

export interface CertificateFiles {
  readonly certPath: string;
  readonly keyPath: string;
}

export interface TestAuthority {
  readonly caPath: string;
  /** @param names subject alternative names, e.g. `IP:127.0.0.1`, `DNS:localhost` */
  issue(commonName: string, names?: readonly string[]): Promise<CertificateFiles>;
}

/** A certificate authority of openssl's making, in a directory that goes with the test. */
export async function createAuthority(t: TestContext): Promise<TestAuthority> {
  const directory = await mkdtemp(join(tmpdir(), 'attache-ca-'));
  t.after(async () => rm(directory, { recursive: true, force: true }));
  const caPath = join(directory, 'ca.pem');
  const caKeyPath = join(directory, 'ca-key.pem');
  await openssl([...NEW_KEY, '-x509', '-days', '2', '-subj', '/CN=test-ca', '-keyout', caKeyPath, '-out', caPath]);
  return {
    caPath,
    async issue(commonName, names = ['IP:127.0.0.1', 'DNS:localhost']) {
      const files = {
        certPath: join(directory, `${commonName}.pem`),
        keyPath: join(directory, `${commonName}-key.pem`),
      };
      await openssl([
        ...[...NEW_KEY, '-x509', '-days', '2', '-subj', `/CN=${commonName}`, '-CA', caPath, '-CAkey', caKeyPath],
        ...['-addext', `subjectAltName=${names.join()}`, '-addext', 'basicConstraints=critical,CA:FALSE'],
        ...['-addext', 'extendedKeyUsage=serverAuth,clientAuth', '-keyout', files.keyPath, '-out', files.certPath],
      ]);
      return files;
    },
  };
}

const NEW_KEY = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const;

async function openssl(args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)('openssl', args);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error('these tests need openssl: apt-get install openssl', { cause: error });
  }
}
