import { getServers } from 'node:dns';
import { isIP, isIPv4 } from 'node:net';
import { NameError, type Family, type NameErrno, type Resolver } from '../core/resolver.ts';
import { inOrder } from './address-order.ts';
import { hostKey } from './host-key.ts';
import type { Hosts } from './hosts-file.ts';
import { NameAnswers } from './name-answers.ts';
import type { DnsAnswer } from './name-server.ts';
import { NameServers } from './name-servers.ts';
import { OtherSources } from './other-sources.ts';
import { namesToAsk, type ResolvConf } from './resolv-conf.ts';
import { SystemFiles, systemPaths, type SystemPaths } from './system-files.ts';

export interface SystemResolverOptions {
  /** Default: those of the system. */
  readonly paths?: Partial<SystemPaths>;
  /** Name servers to ask in place of those in resolv.conf: `127.0.0.1:5353`. */
  readonly servers?: readonly string[];
  /** A monotonic clock, ms. */
  readonly now?: () => number;
}

export interface SystemResolver extends Resolver {
  /** Ends what is under way; nothing is asked after that. May be called twice. */
  close(): void;
}

/**
 * Looks names up as the system would (hosts file, DNS with the search domains of resolv.conf, both in the order of
 * nsswitch.conf), without its `getaddrinfo`: that takes a thread for as long as a name server is silent, and so names
 * that do not resolve would stop names that do. Only names that neither the hosts file nor DNS knows are asked for
 * there, and only when nsswitch.conf names further sources.
 */
export function systemResolver(options: SystemResolverOptions = {}): SystemResolver {
  const lookups = new LookUps(options);
  const answers = new NameAnswers((host, family) => lookups.ask(host, family), lookups.now);
  return {
    resolve: (host, family) => (isIP(host) === 0 ? answers.get(host, family) : Promise.resolve([host])),
    close: () => lookups.close(),
  };
}

/** The addresses of one name by family. */
interface Addresses {
  readonly v4: readonly string[];
  readonly v6: readonly string[];
}

const NONE: Addresses = { v4: [], v6: [] };
const LOOPBACK: Addresses = { v4: ['127.0.0.1'], v6: ['::1'] };
/** One family has come: the other gets so long, as some name servers never answer for IPv6. */
const OTHER_FAMILY_MS = 200;
/** For finding out why there is no address. */
const REASON_MS = 500;

class LookUps {
  readonly now: () => number;
  readonly #files: SystemFiles;
  readonly #ownServers: readonly string[] | undefined;
  readonly #others = new OtherSources();
  #dns: { readonly conf: ResolvConf; readonly servers: NameServers } | undefined;
  #closed = false;

  constructor({ paths, servers, now = () => performance.now() }: SystemResolverOptions) {
    this.now = now;
    this.#ownServers = servers;
    this.#files = new SystemFiles({ ...systemPaths, ...paths }, now);
  }

  close(): void {
    this.#closed = true;
    this.#dns?.servers.close();
  }

  async ask(host: string, family: Family): Promise<readonly string[]> {
    const { hosts, conf, sources } = await this.#files.view();
    const missed = { errno: 'ENOTFOUND' as NameErrno };
    for (const source of sources.order) {
      // DNS is not asked for special names (RFC 6761).
      if (source === 'dns' && isSpecial(host)) continue;
      const found = source === 'files' ? inFiles(host, hosts) : await this.#inDns(host, family, conf);
      const addresses = typeof found === 'string' ? [] : pick(found, family);
      if (addresses.length > 0) return isLocal(host) && family === 0 ? bothLoopbacks(addresses) : addresses;
      missed.errno = worse(missed.errno, typeof found === 'string' ? found : reasonOf(found, family));
    }
    if (isLocal(host)) return pick(LOOPBACK, family);
    if (!sources.others || missed.errno !== 'ENOTFOUND' || isSpecial(host)) throw new NameError(missed.errno, host);
    return await this.#others.ask(host, family);
  }

  async #inDns(host: string, family: Family, conf: ResolvConf): Promise<Addresses | NameErrno> {
    const servers = this.#serversOf(conf);
    let errno: NameErrno = 'ENOTFOUND';
    let other: string | undefined;
    for (const name of namesToAsk(host, conf)) {
      const answer = await (family === 0 ? askBoth(servers, name) : askOne(servers, name, family));
      if (answer.kind === 'found') return answer.addresses;
      if (answer.kind === 'none') {
        if (answer.exists) other ??= name;
        continue;
      }
      errno = answer.code;
      // Its servers would be as silent about the next name.
      if (errno === 'DNS_TIMEOUT') break;
    }
    if (errno !== 'ENOTFOUND' || family === 0 || other === undefined) return errno;
    return (await this.#hasOther(servers, other, family)) ? (family === 4 ? 'IPV6_ONLY' : 'IPV4_ONLY') : errno;
  }

  /** Whether a name without addresses in one family has some in the other. */
  async #hasOther(servers: NameServers, name: string, family: 4 | 6): Promise<boolean> {
    const answer = await within(REASON_MS, servers.ask(name, family === 4 ? 6 : 4));
    return answer?.kind === 'found';
  }

  #serversOf(conf: ResolvConf): NameServers {
    if (this.#dns?.conf === conf) return this.#dns.servers;
    // Those of a file that has changed finish what is under way.
    const servers = new NameServers({ ...conf, servers: this.#ownServers ?? serversIn(conf), now: this.now });
    this.#dns = { conf, servers };
    if (this.#closed) servers.close();
    return servers;
  }
}

/** Systems without a resolv.conf have another way to tell, which Node knows. */
function serversIn(conf: ResolvConf): readonly string[] {
  return conf.servers.length > 0 ? conf.servers : getServers();
}

type FamiliesAnswer =
  { readonly kind: 'found'; readonly addresses: Addresses } | Exclude<DnsAnswer, { readonly kind: 'found' }>;

async function askOne(servers: NameServers, name: string, family: 4 | 6): Promise<FamiliesAnswer> {
  return asFamilies(await servers.ask(name, family), family);
}

async function askBoth(servers: NameServers, name: string): Promise<FamiliesAnswer> {
  const asked = [servers.ask(name, 4), servers.ask(name, 6)] as const;
  const first = await Promise.race(asked.map(async (answer, index) => ({ answer: await answer, index })));
  const other = asked[first.index === 0 ? 1 : 0];
  const second = await (first.answer.kind === 'found' ? within(OTHER_FAMILY_MS, other) : other);
  const [v4, v6] = first.index === 0 ? [first.answer, second] : [second, first.answer];
  const addresses = { v4: addressesOf(v4), v6: addressesOf(v6) };
  if (addresses.v4.length + addresses.v6.length > 0) return { kind: 'found', addresses };
  for (const answer of [first.answer, second]) if (answer?.kind === 'failed') return answer;
  return { kind: 'none', exists: false };
}

function asFamilies(answer: DnsAnswer, family: 4 | 6): FamiliesAnswer {
  if (answer.kind !== 'found') return answer;
  const { addresses } = answer;
  return { kind: 'found', addresses: family === 4 ? { v4: addresses, v6: [] } : { v4: [], v6: addresses } };
}

function addressesOf(answer: DnsAnswer | undefined): readonly string[] {
  return answer?.kind === 'found' ? answer.addresses : [];
}

function inFiles(host: string, hosts: Hosts): Addresses {
  return hosts.get(hostKey(host)) ?? NONE;
}

/** Many hosts files know one family of localhost alone: what is served there is to be had in both. */
function bothLoopbacks(addresses: readonly string[]): readonly string[] {
  const isLoopback = (ip: string) => ip === '::1' || ip.startsWith('127.');
  if (!addresses.every(isLoopback) || addresses.some((ip) => ip.includes(':')) === addresses.some(isIPv4))
    return addresses;
  return [...addresses, addresses.some(isIPv4) ? '::1' : '127.0.0.1'];
}

/** localhost and below it, and the names that are never there. */
function isSpecial(host: string): boolean {
  return isLocal(host) || /(?:^|\.)invalid$/.test(hostKey(host));
}

function isLocal(host: string): boolean {
  return /(?:^|\.)localhost$/.test(hostKey(host));
}

function pick({ v4, v6 }: Addresses, family: Family): readonly string[] {
  if (family === 0) return inOrder(v4, v6);
  return family === 4 ? v4 : v6;
}

function reasonOf({ v4, v6 }: Addresses, family: Family): NameErrno {
  if (family === 4 && v6.length > 0) return 'IPV6_ONLY';
  if (family === 6 && v4.length > 0) return 'IPV4_ONLY';
  return 'ENOTFOUND';
}

/** Of two sources that have no address, the one that says more. */
function worse(before: NameErrno, now: NameErrno): NameErrno {
  return now === 'ENOTFOUND' ? before : now;
}

/** @returns undefined when it takes longer */
function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(resolve, ms, undefined);
    work.then(resolve, reject).finally(() => clearTimeout(late));
  });
}
