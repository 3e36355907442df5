/**
 * Registers services in etcd for as long as they answer: `<SRV>/<address>:<port>` under a lease of `TTL` seconds for
 * each `host:port` of `REGISTER`. A service that stops answering, moves, or outlives this process is taken away.
 *
 * Speaks etcd's JSON gateway, so it needs nothing but Node 24: `node register.ts`. With the argument `healthcheck` it
 * tells by its exit code whether anything stands in the directory.
 */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

interface Registration {
  readonly key: string;
  readonly lease: string;
}

const endpoint = required('DSC');
const directory = required('SRV');
const ttlSeconds = Number(required('TTL'));
const targets = required('REGISTER').split(',');

if (process.argv[2] === 'healthcheck') process.exit((await count()) > 0 ? 0 : 1);

const roundMs = (ttlSeconds * 1000) / 5;
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
process.once('SIGINT', () => stop.abort());

await Promise.all(targets.map(keepRegistered));

async function keepRegistered(target: string): Promise<void> {
  let held: Registration | undefined;
  while (!stop.signal.aborted) {
    try {
      held = await round(target, held);
    } catch (error) {
      say(target, `etcd: ${error instanceof Error ? error.message : String(error)}`);
    }
    await sleep(roundMs, undefined, { signal: stop.signal }).catch(() => undefined);
  }
  if (held !== undefined) await deregister(target, held).catch((error: unknown) => say(target, String(error)));
}

async function round(target: string, held: Registration | undefined): Promise<Registration | undefined> {
  const address = await answeringAddress(target);
  const key = address === undefined ? undefined : `${directory}/${address}`;
  if (held !== undefined && held.key !== key) await deregister(target, held);
  if (key === undefined) return undefined;
  if (held?.key === key && (await stillHeld(held))) return held;
  return register(target, key);
}

async function register(target: string, key: string): Promise<Registration> {
  const { ID: lease } = await etcd<{ ID: string }>('lease/grant', { TTL: ttlSeconds });
  await etcd('kv/put', { key: base64(key), value: base64(target), lease });
  say(target, `registered ${key}`);
  return { key, lease };
}

async function deregister(target: string, { key, lease }: Registration): Promise<void> {
  const { status } = await post('lease/revoke', { ID: lease });
  // 404: the lease ran out before, which is just as well.
  if (status !== 200 && status !== 404) throw new Error(`lease/revoke: ${status}`);
  say(target, `deregistered ${key}`);
}

/** False when the lease ran out, or someone deleted the key although its lease lives. */
async function stillHeld({ key, lease }: Registration): Promise<boolean> {
  const { result } = await etcd<{ result?: { TTL?: string } }>('lease/keepalive', { ID: lease });
  if (Number(result?.TTL ?? 0) <= 0) return false;
  const { kvs } = await etcd<{ kvs?: readonly { lease?: string }[] }>('kv/range', { key: base64(key) });
  return kvs?.[0]?.lease === lease;
}

/** Keys in the directory: from its first possible key to the one after its last. */
async function count(): Promise<number> {
  const range = { key: base64(`${directory}/`), range_end: base64(`${directory}0`), count_only: true };
  return Number((await etcd<{ count?: string }>('kv/range', range)).count ?? 0);
}

async function etcd<Answer>(method: string, body: object): Promise<Answer> {
  const response = await post(method, body);
  if (!response.ok) throw new Error(`${method}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}

function post(method: string, body: object): Promise<Response> {
  const signal = AbortSignal.timeout(2000);
  return fetch(`${endpoint}/v3/${method}`, { method: 'POST', body: JSON.stringify(body), signal });
}

/** `address:port` of a target that accepts a connection within a second, otherwise undefined. */
function answeringAddress(target: string): Promise<string | undefined> {
  const colon = target.lastIndexOf(':');
  const port = Number(target.slice(colon + 1));
  return new Promise((resolve) => {
    const socket = connect({ host: target.slice(0, colon), port, family: 4, timeout: 1000 });
    const answer = (address: string | undefined) => {
      socket.destroy();
      resolve(address === undefined ? undefined : `${address}:${port}`);
    };
    socket.once('connect', () => answer(socket.remoteAddress));
    socket.once('timeout', () => answer(undefined));
    socket.on('error', () => answer(undefined));
  });
}

function required(name: string): string {
  const value = process.env[name] ?? '';
  if (value !== '') return value;
  console.error(`${name}: expected a value, got nothing`);
  process.exit(78);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function say(target: string, text: string): void {
  console.log(`${new Date().toISOString()} ${target} ${text}`);
}
