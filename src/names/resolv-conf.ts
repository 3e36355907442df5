import { isIP } from 'node:net';

/** What resolv.conf(5) says. */
export interface ResolvConf {
  /** IP addresses in the order to ask; none where the file names none. */
  readonly servers: readonly string[];
  /** Domains that a short name is completed with. */
  readonly search: readonly string[];
  /** A name with so many dots is asked for as it is first. */
  readonly ndots: number;
  /** The longest that one question may take over all servers. */
  readonly limitMs: number;
  /** The servers take turns. */
  readonly rotate: boolean;
}

// As the C library has them.
const MAX_SERVERS = 3;
const MAX_NDOTS = 15;
const MAX_TIMEOUT_S = 30;
const MAX_ATTEMPTS = 5;
const DEFAULTS = { ndots: 1, timeout: 5, attempts: 2 } as const;

/**
 * @param text the file; empty where there is none
 * @param hostname of this machine: its domain is searched when the file names no other
 */
export function parseResolvConf(text: string, hostname: string): ResolvConf {
  const servers: string[] = [];
  let search = hostname.split('.').slice(1).join('.').split(' ');
  const options = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line.trim().split(/\s+/);
    if (keyword === 'nameserver') servers.push(...values.slice(0, 1).filter((ip) => isIP(ip) !== 0));
    // The last of these lines is the one that counts.
    else if (keyword === 'search') search = values;
    else if (keyword === 'domain') search = values.slice(0, 1);
    else if (keyword === 'options') for (const value of values) readOption(value, options);
  }
  const bounded = (name: keyof typeof DEFAULTS, least: number, most: number) =>
    Math.min(most, Math.max(least, options.get(name) ?? DEFAULTS[name]));
  return {
    servers: servers.slice(0, MAX_SERVERS),
    search: search.map((domain) => domain.replace(/\.$/, '')).filter((domain) => domain !== ''),
    ndots: bounded('ndots', 0, MAX_NDOTS),
    limitMs: bounded('timeout', 1, MAX_TIMEOUT_S) * bounded('attempts', 1, MAX_ATTEMPTS) * 1_000,
    rotate: options.has('rotate'),
  };
}

/** The names to ask for, in order, until one has an address. A dot at the end means: this name and no other. */
export function namesToAsk(host: string, { search, ndots }: Pick<ResolvConf, 'search' | 'ndots'>): readonly string[] {
  if (host.endsWith('.')) return [host];
  const completed = search.map((domain) => `${host}.${domain}`);
  const dots = host.split('.').length - 1;
  return dots >= ndots ? [host, ...completed] : [...completed, host];
}

function readOption(text: string, options: Map<string, number>): void {
  const [name = '', value = '0'] = text.split(':');
  if (/^\d{1,9}$/.test(value)) options.set(name, Number(value));
}
