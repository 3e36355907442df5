import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import S3rver from 's3rver';
import type { CertificateFiles } from './certificates.ts';
import { serveHttp } from './http.ts';

/** The one account that s3rver knows. */
export const ACCOUNT = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' } as const;

/** Buckets that there are. */
export const BUCKETS = ['material', 'devops.example.org'] as const;

export interface TestS3 {
  readonly url: string;
  /** Puts an object, as an operator would from elsewhere. */
  put(path: string, body: string | Buffer): Promise<void>;
  /** What the next requests get, in their order; after the last of them S3's own answers. */
  answer(...answers: readonly Answer[]): void;
  /** Every request of the client so far. */
  readonly requests: readonly IncomingMessage[];
  readonly statuses: readonly number[];
}

/** Answers one request in place of S3, or lets S3 do so by `forward`. */
export type Answer = (request: IncomingMessage, response: ServerResponse, forward: () => void) => void;

/**
 * An S3-compatible server (s3rver) on loopback behind a front that can misbehave, and this process's environment set
 * for it, all until the test ends.
 */
export async function startS3(t: TestContext): Promise<TestS3> {
  const directory = await mkdtemp(join(tmpdir(), 'attache-s3-'));
  t.after(async () => rm(directory, { recursive: true, force: true }));
  const configureBuckets = BUCKETS.map((name) => ({ name }));
  const store = new S3rver({ address: '127.0.0.1', port: 0, directory, silent: true, configureBuckets });
  const { port } = await store.run();
  t.after(async () => {
    store.httpServer.closeAllConnections();
    await store.close();
  });
  const front = await startFront(t, port);
  setEnvironment(t, { ...ACCOUNT, AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL_S3: front.url });
  return {
    ...front,
    async put(path, body) {
      const { status } = await fetch(`http://127.0.0.1:${port}/${path}`, { method: 'PUT', body });
      if (status !== 200) throw new Error(`PUT ${path}: ${status}`);
    },
  };
}

/** Settings of a process that finds its objects and its account in this S3, and nothing elsewhere. */
export function s3Environment({ url }: Pick<TestS3, 'url'>): Readonly<Record<string, string>> {
  return {
    ...ACCOUNT,
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_S3: url,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

interface ServerFiles {
  readonly caPath: string;
  readonly identity: CertificateFiles;
}

/** Puts the three files of TLS material below `folder` of the bucket `material`. */
export async function putMaterial(s3: TestS3, folder: string, { caPath, identity }: ServerFiles): Promise<void> {
  const paths = { 'ca.pem': caPath, 'cert.pem': identity.certPath, 'key.pem': identity.keyPath };
  for (const [name, path] of Object.entries(paths)) await s3.put(`material/${folder}/${name}`, await readFile(path));
}

/** Sets variables until the test ends; of those of AWS only these, and no files, are left. */
export function setEnvironment(t: TestContext, variables: Readonly<Record<string, string>>): void {
  const before = { ...process.env };
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name);
  const nowhere = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
  Object.assign(process.env, nowhere, { AWS_EC2_METADATA_DISABLED: 'true' }, variables);
  t.after(() => {
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, before);
  });
}

/** An error in the form of S3's. */
export function s3Error(status: number, code: string, headers: Readonly<Record<string, string>> = {}): Answer {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message><RequestId>1</RequestId></Error>`;
  return (_, response) => response.writeHead(status, { 'content-type': 'application/xml', ...headers }).end(body);
}

async function startFront(t: TestContext, port: number): Promise<Omit<TestS3, 'put'>> {
  const answers: Answer[] = [];
  const requests: IncomingMessage[] = [];
  const statuses: number[] = [];
  const url = await serveHttp(t, (incoming, response) => {
    requests.push(incoming);
    response.on('finish', () => statuses.push(response.statusCode));
    const forward = (): void => pass(incoming, response, port);
    const answer = answers.shift();
    if (answer === undefined) forward();
    else answer(incoming, response, forward);
  });
  return {
    url,
    answer: (...next) => void answers.push(...next),
    requests,
    statuses,
  };
}

function pass(incoming: IncomingMessage, response: ServerResponse, port: number): void {
  const { method, url, headers } = incoming;
  const outgoing = request({ host: '127.0.0.1', port, method, path: url, headers, agent: false }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.on('error', () => response.destroy());
  incoming.pipe(outgoing);
}
