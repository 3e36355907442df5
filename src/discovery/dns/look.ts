import { parseAddress } from '../../core/address.ts';
import { namesToAsk, type ResolvConf } from '../../names/resolv-conf.ts';
import type { MemberNet } from '../registry.ts';
import type { ServerAddress } from './exchange.ts';
import { MemberSet } from './member-set.ts';
import type { RecordQuery, ServiceRecord } from './reply.ts';
import type { DnsServers, RecordAnswer } from './servers.ts';

/** What one look at a service gave. */
export type DnsLook =
  | {
      readonly kind: 'seen';
      readonly set: MemberSet;
      /** For how long the records may be used, ms. */
      readonly ttlMs: number;
    }
  /** Something that was there is said to be gone, and it takes a second look to believe that. */
  | { readonly kind: 'doubtful' }
  | { readonly kind: 'failed'; readonly fault: string };

export interface LookOptions {
  /** `name:port`, or the name of SRV records. */
  readonly service: string;
  readonly net: MemberNet;
  readonly servers: DnsServers;
  readonly addresses: readonly ServerAddress[];
  /** How a name without a dot at its end is completed. */
  readonly conf: Pick<ResolvConf, 'search' | 'ndots'>;
  /** The set in force; empty before the first. */
  readonly held: MemberSet;
  /** No more servers of SRV records are looked up than this and one more; 0: all. */
  readonly maxMembers: number;
}

/** Servers of SRV records that are looked up at the same time. */
const AT_ONCE = 16;
const MAX_NAME_LENGTH = 253;
const TYPES = { tcp4: ['A'], tcp6: ['AAAA'], tcp: ['A', 'AAAA'] } as const;

/** Looks a service up once. Never rejects. */
export async function look(options: LookOptions): Promise<DnsLook> {
  const { service } = options;
  if (service.startsWith('_')) {
    const found = await firstOf(options, service, ['SRV']);
    return found.kind === 'services' ? lookAtServers(options, found) : asLook(found, new MemberSet());
  }
  const colon = service.lastIndexOf(':');
  const found = await firstOf(options, service.slice(0, colon), TYPES[options.net]);
  const set = new MemberSet();
  if (found.kind === 'addresses') {
    set.add(found.addresses, Number(service.slice(colon + 1)));
    for (const key of found.keys) set.names.add(key);
  }
  return asLook(found, set);
}

function asLook(answer: RecordAnswer, set: MemberSet): DnsLook {
  if (answer.kind === 'failed') return answer;
  if (answer.kind === 'none' && !answer.isSure) return { kind: 'doubtful' };
  return { kind: 'seen', set, ttlMs: answer.ttlMs };
}

/** `keys` are the questions that had an answer. */
type Found = RecordAnswer & { readonly keys: readonly string[] };

/** The completed names in turn, until one has records. One that has had some is not passed over in a hurry. */
async function firstOf(options: LookOptions, host: string, types: readonly RecordQuery['type'][]): Promise<Found> {
  let none: RecordAnswer & { readonly kind: 'none' } = { kind: 'none', reason: '', ttlMs: Infinity, isSure: true };
  let failed: (RecordAnswer & { readonly kind: 'failed' }) | undefined;
  for (const asked of namesToAsk(host, options.conf)) {
    const name = asked.replace(/\.$/, '');
    if (name.length > MAX_NAME_LENGTH) continue;
    const found = await askFor(options, name, types);
    const isHeld = types.some((type) => options.held.names.has(keyOf({ name, type })));
    if (found.kind === 'addresses' || found.kind === 'services') return found;
    if (found.kind === 'none') {
      if (!found.isSure && isHeld) return found;
      none = { ...found, ttlMs: Math.min(none.ttlMs, found.ttlMs), isSure: none.isSure && found.isSure };
    } else {
      // Its servers would be as silent about the next name.
      if (isHeld || found.isSilent) return found;
      failed ??= found;
    }
  }
  return { ...(failed ?? none), keys: [] };
}

/** All record types of one name. One type is enough, unless another has to be kept. */
async function askFor(options: LookOptions, name: string, types: readonly RecordQuery['type'][]): Promise<Found> {
  const { servers, addresses, held } = options;
  const questions = types.map((type) => ({ name, type }));
  const answers = await Promise.all(
    questions.map(async (question) => ({ ...(await servers.ask(addresses, question)), keys: [keyOf(question)] })),
  );
  const isOpen = (one: RecordAnswer) => one.kind === 'failed' || (one.kind === 'none' && !one.isSure);
  const found = answers.filter(({ kind }) => kind === 'addresses' || kind === 'services');
  const missed = answers.filter(isOpen);
  const kept = missed.find(({ keys }) => keys.some((key) => held.names.has(key)));
  const [first] = found;
  if (first === undefined || kept !== undefined) {
    const answer = kept ?? missed.find(({ kind }) => kind === 'failed') ?? missed[0] ?? answers[0];
    return answer ?? { kind: 'none', reason: '', ttlMs: 0, isSure: true, keys: [] };
  }
  if (first.kind !== 'addresses') return first;
  const all = found.flatMap((one) => (one.kind === 'addresses' ? one.addresses : []));
  const ttlMs = Math.min(...answers.map((one) => (one.kind === 'failed' ? Infinity : one.ttlMs)));
  return { kind: 'addresses', addresses: all, ttlMs, keys: found.flatMap(({ keys }) => keys) };
}

/** The servers that SRV records name. One that has been a member goes only when it is surely gone. */
async function lookAtServers(options: LookOptions, found: Found & { readonly kind: 'services' }): Promise<DnsLook> {
  const { maxMembers, net, held } = options;
  const set = new MemberSet();
  for (const key of found.keys) set.names.add(key);
  // A dot alone says that there is no server (RFC 2782).
  const services = found.services.filter(({ target }) => target !== '.');
  const wanted = maxMembers === 0 ? services : services.slice(0, maxMembers + 1);
  const targets = [...new Set(wanted.map(targetOf))];
  const answers = new Map<string, Found>();
  const next = targets.values();
  const work = Array.from({ length: AT_ONCE }, async () => {
    for (const target of next) answers.set(target, await addressesOf(options, target));
  });
  await Promise.all(work);
  let ttlMs = found.ttlMs;
  for (const service of wanted) {
    const target = targetOf(service);
    const answer = answers.get(target);
    if (answer === undefined) continue;
    if (answer.kind === 'addresses') {
      set.add(answer.addresses, service.port, { weight: Math.max(1, service.weight), priority: service.priority });
      for (const key of answer.keys) set.names.add(key);
      ttlMs = Math.min(ttlMs, answer.ttlMs);
      continue;
    }
    const isHeld = TYPES[net].some((type) => held.names.has(keyOf({ name: target, type })));
    if (isHeld && answer.kind === 'failed') return answer;
    if (isHeld && answer.kind === 'none' && !answer.isSure) return { kind: 'doubtful' };
    set.ignored.push([target, answer.kind === 'failed' ? answer.fault : 'the name has no address in NET']);
  }
  const failed = [...answers.values()].find(({ kind }) => kind === 'failed');
  return set.size === 0 && failed?.kind === 'failed' ? failed : { kind: 'seen', set, ttlMs };
}

async function addressesOf(options: LookOptions, target: string): Promise<Found> {
  // What another wrote is asked for only when it is a name.
  if (!parseAddress(`${target}:1`, 'discovered').ok) {
    return { kind: 'none', reason: 'no name', ttlMs: Infinity, isSure: true, keys: [] };
  }
  return askFor(options, target, TYPES[options.net]);
}

function targetOf({ target }: ServiceRecord): string {
  return target.toLowerCase().replace(/\.$/, '');
}

function keyOf({ name, type }: RecordQuery): string {
  return `${type} ${name.toLowerCase()}`;
}
