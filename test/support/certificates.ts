import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

export interface CertificateFiles {
  readonly certPath: string;
  readonly keyPath: string;
  /** The certificate, then those of the intermediate authorities above it. */
  readonly chainPath: string;
}

export interface TestAuthority {
  /** The root's certificate, whatever authority this is. */
  readonly caPath: string;
  /** This authority's own key. */
  readonly keyPath: string;
  /** @param names subject alternative names, e.g. `IP:127.0.0.1`, `DNS:localhost` */
  issue(commonName: string, names?: readonly string[], details?: CertificateDetails): Promise<CertificateFiles>;
  /** An authority that this one has signed. */
  intermediate(commonName: string, details?: CertificateDetails): Promise<TestAuthority>;
}

export interface CertificateDetails {
  readonly key?: KeyDetails;
  /** Extended key usages; none: no such extension. Default: serverAuth and clientAuth. */
  readonly usages?: readonly string[];
  /** Default: an hour ago. */
  readonly notBefore?: Date;
  /** Default: in 30 days. */
  readonly notAfter?: Date;
  /** The whole subject as openssl takes it, in place of the common name: `/O=acme/CN=web`. */
  readonly subject?: string;
}

export interface KeyDetails {
  /** Default: `ec`, on P-256. */
  readonly type?: 'ec' | 'rsa' | 'rsa-512' | 'ed25519';
  /** `traditional`: PKCS#1 or SEC1. Default: PKCS#8. */
  readonly format?: 'pkcs8' | 'traditional';
  /** Encrypts the key. */
  readonly passphrase?: string;
}

/** A certificate authority of openssl's making, in a directory that goes with the test. */
export async function createAuthority(
  t: TestContext,
  details: Omit<CertificateDetails, 'usages'> = {},
): Promise<TestAuthority> {
  const directory = await mkdtemp(join(tmpdir(), 'attache-ca-'));
  t.after(async () => rm(directory, { recursive: true, force: true }));
  const paths = { certPath: join(directory, 'ca.pem'), keyPath: join(directory, 'ca-key.pem') };
  await makeKey(paths.keyPath, details.key);
  await sign({ subject: '/CN=test-ca', ...details, ...paths, directory, extensions: AUTHORITY });
  return new Authority({ ...paths, directory, caPath: paths.certPath, above: '' });
}

class Authority implements TestAuthority {
  readonly caPath: string;
  readonly keyPath: string;
  readonly #directory: string;
  readonly #certPath: string;
  /** PEM of the intermediate authorities from this one up. */
  readonly #above: string;
  #issued = 0;

  constructor(place: AuthorityPlace) {
    this.caPath = place.caPath;
    this.keyPath = place.keyPath;
    this.#directory = place.directory;
    this.#certPath = place.certPath;
    this.#above = place.above;
  }

  async issue(
    commonName: string,
    names: readonly string[] = ['IP:127.0.0.1', 'DNS:localhost'],
    details: CertificateDetails = {},
  ): Promise<CertificateFiles> {
    const { usages = ['serverAuth', 'clientAuth'], subject = `/CN=${commonName}` } = details;
    const extensions = [
      'basicConstraints=critical,CA:FALSE',
      ...(names.length === 0 ? [] : [`subjectAltName=${names.join()}`]),
      ...(usages.length === 0 ? [] : [`extendedKeyUsage=${usages.join()}`]),
    ];
    const files = this.#files(commonName);
    await makeKey(files.keyPath, details.key);
    await this.#sign(files, { ...details, subject, extensions });
    await writeFile(files.chainPath, `${await readFile(files.certPath, 'utf8')}${this.#above}`);
    return files;
  }

  async intermediate(commonName: string, details: CertificateDetails = {}): Promise<TestAuthority> {
    const { certPath, keyPath } = this.#files(commonName);
    await makeKey(keyPath, details.key);
    const subject = `/CN=${commonName}`;
    await this.#sign({ certPath, keyPath }, { subject, ...details, extensions: AUTHORITY });
    const above = `${await readFile(certPath, 'utf8')}${this.#above}`;
    return new Authority({ directory: this.#directory, caPath: this.caPath, certPath, keyPath, above });
  }

  #files(name: string): CertificateFiles {
    const path = join(this.#directory, `${name}-${this.#issued++}-${Math.random().toString(36).slice(2)}`);
    return { certPath: `${path}.pem`, keyPath: `${path}-key.pem`, chainPath: `${path}-chain.pem` };
  }

  #sign(files: Pick<CertificateFiles, 'certPath' | 'keyPath'>, what: SigningDetails): Promise<void> {
    const issuer = { certPath: this.#certPath, keyPath: this.keyPath };
    return sign({ ...what, ...files, directory: this.#directory, issuer });
  }
}

interface AuthorityPlace {
  readonly directory: string;
  readonly caPath: string;
  readonly certPath: string;
  readonly keyPath: string;
  readonly above: string;
}

const AUTHORITY = [
  'basicConstraints=critical,CA:TRUE',
  'keyUsage=critical,keyCertSign,cRLSign',
  'subjectKeyIdentifier=hash',
];

const ALGORITHMS = {
  ec: ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'rsa-512': ['RSA', '-pkeyopt', 'rsa_keygen_bits:512'],
  ed25519: ['ED25519'],
} as const;

async function makeKey(path: string, details: KeyDetails = {}): Promise<void> {
  const { type = 'ec', format = 'pkcs8', passphrase } = details;
  const plain = ['genpkey', '-algorithm', ...ALGORITHMS[type]];
  const first = `${path}.first`;
  await openssl([...plain, '-out', first]);
  await openssl([
    ...['pkey', '-in', first, '-out', path],
    ...(format === 'traditional' ? ['-traditional'] : []),
    ...(passphrase === undefined ? [] : ['-aes256', '-passout', `pass:${passphrase}`]),
  ]);
}

interface SigningDetails extends CertificateDetails {
  readonly subject: string;
  readonly extensions: readonly string[];
}

interface Signing extends SigningDetails {
  readonly directory: string;
  readonly keyPath: string;
  /** Where the certificate goes. */
  readonly certPath: string;
  /** Default: it signs itself. */
  readonly issuer?: { readonly certPath: string; readonly keyPath: string };
}

const HOUR_MS = 3_600_000;

/** By `openssl ca`, as only that can date a certificate back. Each time with a database of its own. */
async function sign(options: Signing): Promise<void> {
  const { subject, extensions, key, keyPath, certPath, issuer, notBefore, notAfter } = options;
  const place = await mkdtemp(join(options.directory, 'signing-'));
  const [request, config] = [join(place, 'request.pem'), join(place, 'ca.cnf')];
  await mkdir(join(place, 'issued'));
  await writeFile(join(place, 'index.txt'), '');
  await writeFile(config, CONFIG.replaceAll('PLACE', place).concat(extensions.join('\n'), '\n'));
  const open = key?.passphrase === undefined ? [] : ['-passin', `pass:${key.passphrase}`];
  await openssl([
    'req',
    '-new',
    '-config',
    config,
    '-utf8',
    '-subj',
    subject,
    '-key',
    keyPath,
    ...open,
    '-out',
    request,
  ]);
  await openssl([
    ...['ca', '-batch', '-notext', '-utf8', '-config', config, '-in', request, '-out', certPath],
    ...(issuer === undefined
      ? ['-selfsign', '-keyfile', keyPath]
      : ['-cert', issuer.certPath, '-keyfile', issuer.keyPath]),
    ...['-startdate', opensslTime(notBefore ?? new Date(Date.now() - HOUR_MS))],
    ...['-enddate', opensslTime(notAfter ?? new Date(Date.now() + 30 * 24 * HOUR_MS))],
  ]);
}

const CONFIG = `[ca]
default_ca = test
[test]
database = PLACE/index.txt
new_certs_dir = PLACE/issued
rand_serial = yes
unique_subject = no
default_md = default
policy = any
preserve = yes
email_in_dn = no
x509_extensions = extensions
[any]
organizationName = optional
commonName = optional
[req]
distinguished_name = dn
[dn]
[extensions]
`;

/** YYYYMMDDHHMMSSZ */
function opensslTime(date: Date): string {
  return date.toISOString().replace(/\.\d+|[-:T]/g, '');
}

async function openssl(args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)('openssl', args);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error('these tests need openssl: apt-get install openssl', { cause: error });
  }
}
