import type { Redis } from 'ioredis';
import { messageOf } from '../../core/errors.ts';
import type { MemberRole } from '../registry.ts';
import type { SentinelAddress } from './connection.ts';
import type { Vote } from './vote.ts';

/** Another Sentinel that a Sentinel tells of. */
export interface OtherSentinel extends SentinelAddress {
  readonly id: string;
}

/** Asks a Sentinel for the members that have the role. */
export async function askMembers(asker: Redis, name: string, role: MemberRole): Promise<Vote> {
  if (role === 'replicas') {
    const replicas = await askList(asker, 'SLAVES', name);
    return replicas?.filter(isUp).map((replica) => at(replica.get('ip') ?? '', replica.get('port') ?? ''));
  }
  const said = await asker.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name);
  if (!Array.isArray(said)) return undefined;
  const [host, port] = said.map(String);
  return host === undefined || port === undefined ? undefined : [at(host, port)];
}

/** Asks a Sentinel for the other Sentinels that watch the same primary. */
export async function askOthers(asker: Redis, name: string): Promise<readonly OtherSentinel[]> {
  const others = (await askList(asker, 'SENTINELS', name)) ?? [];
  return others.flatMap((other) => {
    const [host = '', id = ''] = [other.get('ip'), other.get('runid')];
    const port = Number(other.get('port'));
    return host === '' || !Number.isInteger(port) || id === '' ? [] : [{ host, port, id }];
  });
}

/** Asks a Sentinel for the id that others know it by; undefined: it tells none, as before Redis 6.2. */
export async function askId(asker: Redis): Promise<string | undefined> {
  const id = await asker.call('SENTINEL', 'MYID').catch(() => undefined);
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** `host:port`, an IPv6 address in brackets. */
export function at(host: string, port: string | number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A replica that the Sentinel reaches. */
function isUp(replica: ReadonlyMap<string, string>): boolean {
  const flags = (replica.get('flags') ?? '').split(',');
  return flags.includes('slave') && !flags.some((flag) => /^(?:[so]_down|disconnected)$/.test(flag));
}

/** @returns undefined when the Sentinel does not know the name */
async function askList(
  asker: Redis,
  what: 'SLAVES' | 'SENTINELS',
  name: string,
): Promise<readonly ReadonlyMap<string, string>[] | undefined> {
  try {
    const said = await asker.call('SENTINEL', what, name);
    return Array.isArray(said) ? said.map(pairs) : [];
  } catch (error) {
    if (messageOf(error).startsWith('ERR No such master')) return undefined;
    throw error;
  }
}

/** `['ip', '10.0.0.1', 'port', '6379']` */
function pairs(flat: unknown): ReadonlyMap<string, string> {
  const texts = Array.isArray(flat) ? flat.map(String) : [];
  return new Map(texts.flatMap((key, index) => (index % 2 === 0 ? [[key, texts[index + 1] ?? ''] as const] : [])));
}
