import { type IncomingMessage, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { text } from 'node:stream/consumers';
import { serveHttp } from './http.ts';

/** A key as AWS gives it out; with a token it is a temporary one. */
export interface AwsKey {
  readonly id: string;
  readonly secret: string;
  readonly token?: string;
}

/** How a store refuses a key: as AWS does for one that is unknown, expired, or may not. */
export interface Refusal {
  readonly status: number;
  /** Undefined: no text at all. */
  readonly code: string | undefined;
}

export interface KeyedS3 {
  readonly url: string;
  /** The one key that is let in; undefined: none. */
  key: AwsKey | undefined;
  refusal: Refusal;
  /** By the last part of its path, without `.pem`; what is not there is its own name. */
  readonly objects: Map<string, Buffer>;
  /** Ids of the keys that asked, in order. */
  readonly askedBy: readonly string[];
}

/** A store that gives its objects to who shows the key of the day and its token, and to nobody else. */
export async function startKeyedS3(t: TestContext, key: AwsKey): Promise<KeyedS3> {
  const askedBy: string[] = [];
  const url = await serveHttp(t, ({ headers, url: path = '' }, response) => {
    const id = /Credential=([^/]+)\//.exec(headers.authorization ?? '')?.[1] ?? 'nobody';
    askedBy.push(id);
    const token = headers['x-amz-security-token'];
    if (store.key?.id === id && store.key.token === token) {
      const name = /([^/]+)\.pem/.exec(path)?.[1] ?? '';
      response.writeHead(200).end(store.objects.get(name) ?? name);
      return;
    }
    const { status, code } = store.refusal;
    answer(response, status, code === undefined ? '' : `<Error><Code>${code}</Code><Message>no</Message></Error>`);
  });
  const store: KeyedS3 = {
    url,
    key,
    refusal: { status: 403, code: 'InvalidAccessKeyId' },
    objects: new Map(),
    askedBy,
  };
  return store;
}

export interface KeyGiver {
  readonly url: string;
  key: AwsKey;
  /** How often it was asked. */
  asked: number;
}

/** What `AWS_CONTAINER_CREDENTIALS_FULL_URI` names: gives the key of the day, good for an hour. */
export async function startContainerCredentials(t: TestContext, key: AwsKey): Promise<KeyGiver> {
  const url = await serveHttp(t, (_, response) => {
    giver.asked += 1;
    const { id, secret, token } = giver.key;
    const body = { AccessKeyId: id, SecretAccessKey: secret, Token: token, Expiration: inAnHour() };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const giver: KeyGiver = { url, key, asked: 0 };
  return giver;
}

export interface Sts {
  readonly url: string;
  /** The web identity that is let in, and what it is given. */
  identity: string;
  key: AwsKey;
  /** The web identities that asked, in order. */
  readonly askedBy: readonly string[];
}

/** A security token service for `AssumeRoleWithWebIdentity`. */
export async function startSts(t: TestContext, identity: string, key: AwsKey): Promise<Sts> {
  const askedBy: string[] = [];
  const url = await serveHttp(t, (request, response) => void assume(request, response));
  const assume = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = new URLSearchParams(await text(request));
    const shown = form.get('WebIdentityToken') ?? 'nobody';
    askedBy.push(shown);
    if (form.get('Action') !== 'AssumeRoleWithWebIdentity' || shown !== sts.identity) {
      const error = '<Error><Type>Sender</Type><Code>ExpiredTokenException</Code><Message>no</Message></Error>';
      answer(response, 400, `<ErrorResponse xmlns="${STS}">${error}<RequestId>1</RequestId></ErrorResponse>`);
      return;
    }
    const { id, secret, token = '' } = sts.key;
    const credentials = [
      `<AccessKeyId>${id}</AccessKeyId><SecretAccessKey>${secret}</SecretAccessKey>`,
      `<SessionToken>${token}</SessionToken><Expiration>${inAnHour()}</Expiration>`,
    ].join('');
    const result = `<AssumeRoleWithWebIdentityResult><Credentials>${credentials}</Credentials></AssumeRoleWithWebIdentityResult>`;
    const name = 'AssumeRoleWithWebIdentityResponse';
    answer(response, 200, `<${name} xmlns="${STS}">${result}</${name}>`);
  };
  const sts: Sts = { url, identity, key, askedBy };
  return sts;
}

const STS = 'https://sts.amazonaws.com/doc/2011-06-15/';

function inAnHour(): string {
  return new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z');
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' }).end(body);
}
