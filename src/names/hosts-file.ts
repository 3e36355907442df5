import { isIP } from 'node:net';
import { hostKey } from './host-key.ts';

/** What a hosts file says of one name, in the order of its lines. */
export interface HostsEntry {
  readonly v4: readonly string[];
  readonly v6: readonly string[];
}

export type Hosts = ReadonlyMap<string, HostsEntry>;

/** Reads a hosts file (hosts(5)). Lines that are none are passed over. */
export function parseHosts(text: string): Hosts {
  const hosts = new Map<string, { readonly v4: string[]; readonly v6: string[] }>();
  for (const line of text.split('\n')) {
    const [ip = '', ...names] = line.replace(/#.*/s, '').trim().split(/\s+/);
    const version = isIP(ip);
    // What a scope narrows down cannot be judged by DISCOVERY_ALLOW.
    if (version === 0 || ip.includes('%')) continue;
    for (const name of names) {
      const key = hostKey(name);
      const entry = hosts.get(key) ?? { v4: [], v6: [] };
      hosts.set(key, entry);
      const list = version === 4 ? entry.v4 : entry.v6;
      if (!list.includes(ip)) list.push(ip);
    }
  }
  return hosts;
}
