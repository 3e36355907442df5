import { readFileSync } from 'node:fs';
import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import type { CertificateFiles } from './certificates.ts';

/** etcd's own JSON interface: what tests write with and compare with, apart from the gRPC client under test. */
export class EtcdApi {
  readonly #url: string;
  readonly #tls: (CertificateFiles & { readonly caPath: string }) | undefined;
  #token: string | undefined;

  constructor(url: string, tls?: CertificateFiles & { readonly caPath: string }) {
    this.#url = url;
    this.#tls = tls;
  }

  /** Whether the member answers and has a leader. */
  async healthy(): Promise<boolean> {
    try {
      await this.call('kv/range', { key: base64('health') });
      return true;
    } catch (error) {
      return String(error).includes('user name is empty');
    }
  }

  async put(key: string, options: { readonly value?: string; readonly lease?: string } = {}): Promise<void> {
    const { value = '', lease } = options;
    await this.call('kv/put', { key: base64(key), value: base64(value), ...(lease === undefined ? {} : { lease }) });
  }

  async remove(key: string): Promise<void> {
    await this.call('kv/deleterange', { key: base64(key) });
  }

  /** Puts and deletes in one transaction, hence at one revision. */
  async transact(change: { readonly put?: readonly string[]; readonly remove?: readonly string[] }): Promise<void> {
    const puts = (change.put ?? []).map((key) => ({ requestPut: { key: base64(key), value: '' } }));
    const removals = (change.remove ?? []).map((key) => ({ requestDeleteRange: { key: base64(key) } }));
    await this.call('kv/txn', { success: [...puts, ...removals] });
  }

  /** Keys below a prefix, sorted, without it. */
  async names(prefix: string): Promise<string[]> {
    const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
    const answer = await this.call('kv/range', { key: base64(prefix), range_end: base64(end), keys_only: true });
    const { kvs = [] } = answer as { kvs?: { key: string }[] };
    return kvs.map(({ key }) => Buffer.from(key, 'base64').toString().slice(prefix.length));
  }

  async revision(): Promise<number> {
    const answer = await this.call('kv/range', { key: base64('x') });
    return Number((answer as { header: { revision: string } }).header.revision);
  }

  /** Forgets every revision below the present one. */
  async compact(): Promise<void> {
    await this.call('kv/compaction', { revision: await this.revision(), physical: true });
  }

  /** @returns the lease's id */
  async grant(ttlSeconds: number): Promise<string> {
    const answer = await this.call('lease/grant', { TTL: ttlSeconds });
    return (answer as { ID: string }).ID;
  }

  async refresh(lease: string): Promise<void> {
    await this.call('lease/keepalive', { ID: lease });
  }

  /** Further calls carry the token of this log-in. */
  async login(name: string, password: string): Promise<void> {
    this.#token = undefined;
    const answer = await this.call('auth/authenticate', { name, password });
    this.#token = (answer as { token: string }).token;
  }

  /** @throws Error with etcd's text when it refuses */
  async call(path: string, body: object): Promise<unknown> {
    const text = await this.#post(`${this.#url}/v3/${path}`, JSON.stringify(body));
    // A streaming method answers one JSON object a line.
    const answer = JSON.parse(text.split('\n')[0] ?? '') as { error?: unknown };
    if (answer.error !== undefined) throw new Error(`etcd refused ${path}: ${JSON.stringify(answer.error)}`);
    return answer;
  }

  async #post(url: string, body: string): Promise<string> {
    const headers = this.#token === undefined ? {} : { authorization: this.#token };
    // No agent: a connection kept for later would be counted among those that the code under test holds.
    const options = { method: 'POST', agent: false, headers, timeout: 5_000, ...this.#material() };
    return await new Promise((resolve, reject) => {
      const request = (url.startsWith('https:') ? requestSecure : requestPlain)(url, options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve(text));
        response.on('error', reject);
      });
      request.on('timeout', () => request.destroy(new Error('etcd gave no answer in 5 s')));
      request.on('error', reject);
      request.end(body);
    });
  }

  #material(): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
    if (this.#tls === undefined) return {};
    const { caPath, certPath, keyPath } = this.#tls;
    return { ca: readFileSync(caPath), cert: readFileSync(certPath), key: readFileSync(keyPath) };
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
