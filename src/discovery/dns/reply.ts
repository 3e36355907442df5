import { decode, encode, type Answer, type DecodedPacket } from 'dns-packet';

/** What is asked of a name server: a whole name, without a dot at its end. */
export interface RecordQuery {
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'SRV';
}

/** An SRV record. */
export interface ServiceRecord {
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** What a reply says of its question. Times to live are in ms. */
export type DnsReply =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[]; readonly ttlMs: number }
  | { readonly kind: 'services'; readonly services: readonly ServiceRecord[]; readonly ttlMs: number }
  /** The name is another's, whose records are not in the reply. */
  | { readonly kind: 'alias'; readonly target: string; readonly ttlMs: number }
  /** There is no such name, or it has no such records. */
  | { readonly kind: 'none'; readonly reason: 'NXDOMAIN' | 'no records'; readonly ttlMs: number }
  /** It did not fit into a packet. */
  | { readonly kind: 'truncated' }
  /** The server could not say, or did not understand. */
  | { readonly kind: 'failed'; readonly fault: string };

/** Packets of this size pass everywhere (DNS flag day 2020). */
const PACKET_BYTES = 1_232;
const RECURSION_DESIRED = 256;

/** A query. @param extended says that a long reply by UDP is fine, which old servers do not understand */
export function queryFor({ name, type }: RecordQuery, id: number, extended: boolean): Buffer {
  const size = { type: 'OPT', name: '.', udpPayloadSize: PACKET_BYTES } as const;
  const opt = { ...size, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] };
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED,
    questions: [{ type, name, class: 'IN' }],
    ...(extended && { additionals: [opt] }),
  });
}

/** What a packet says; undefined when it is no reply to this query: what was guessed, late, or garbage. */
export function readDnsReply(packet: Buffer, question: RecordQuery, id: number): DnsReply | undefined {
  let decoded: DecodedPacket;
  try {
    decoded = decode(packet);
  } catch {
    return undefined;
  }
  if (decoded.type !== 'response' || decoded.id !== id) return undefined;
  const [asked] = decoded.questions ?? [];
  const isForMe = asked?.type === question.type && keyOf(asked.name) === keyOf(question.name);
  // Servers that refuse a query may leave out what it was.
  if (!isForMe && (asked !== undefined || codeOf(decoded) === 'NOERROR')) return undefined;
  return decoded.flag_tc ? { kind: 'truncated' } : say(decoded, question);
}

function say(decoded: DecodedPacket, question: RecordQuery): DnsReply {
  const code = codeOf(decoded);
  if (code !== 'NOERROR' && code !== 'NXDOMAIN') return { kind: 'failed', fault: code };
  const answers = decoded.answers ?? [];
  const chain = endOfChain(answers, question.name);
  if (chain === undefined) return { kind: 'failed', fault: 'a loop of CNAME records' };
  const records = answers.filter(({ name, type }) => type === question.type && keyOf(name) === keyOf(chain.name));
  const ttlMs = Math.min(chain.ttlMs, ...records.map(ttlOf));
  if (records.length > 0) return recordsOf(records, ttlMs);
  if (code === 'NOERROR' && chain.name !== question.name) return { kind: 'alias', target: chain.name, ttlMs };
  return { kind: 'none', reason: code === 'NXDOMAIN' ? code : 'no records', ttlMs: negativeTtl(decoded.authorities) };
}

function recordsOf(records: readonly Answer[], ttlMs: number): DnsReply {
  const services = records.flatMap((record) => (record.type === 'SRV' ? [record.data] : []));
  if (services.length > 0) {
    const read = services.map(({ target, port, priority = 0, weight = 0 }) => ({ target, port, priority, weight }));
    return { kind: 'services', services: read, ttlMs };
  }
  const addresses = records.flatMap((record) => (record.type === 'A' || record.type === 'AAAA' ? [record.data] : []));
  return { kind: 'addresses', addresses, ttlMs };
}

/** Where the CNAME records of a reply lead from a name; undefined: in a circle. */
function endOfChain(answers: readonly Answer[], from: string): { name: string; ttlMs: number } | undefined {
  const aliases = new Map(answers.flatMap((a) => (a.type === 'CNAME' ? [[keyOf(a.name), a] as const] : [])));
  const seen = new Set<string>();
  let [name, ttlMs] = [from, Number.POSITIVE_INFINITY];
  for (let alias = aliases.get(keyOf(name)); alias !== undefined; alias = aliases.get(keyOf(name))) {
    if (seen.has(keyOf(name))) return undefined;
    seen.add(keyOf(name));
    name = alias.data;
    ttlMs = Math.min(ttlMs, ttlOf(alias));
  }
  return { name, ttlMs };
}

/** How long it holds that there is nothing (RFC 2308). */
function negativeTtl(authorities: readonly Answer[] | undefined): number {
  const soa = authorities?.find((record) => record.type === 'SOA');
  return soa === undefined ? 0 : Math.min(ttlOf(soa), (soa.data.minimum ?? 0) * 1_000);
}

function ttlOf(record: Answer): number {
  const seconds = 'ttl' in record ? (record.ttl ?? 0) : 0;
  // With the highest bit set it counts as 0 (RFC 2181).
  return seconds > 0x7fffffff ? 0 : seconds * 1_000;
}

function codeOf(decoded: DecodedPacket): string {
  // The types leave it out.
  return (decoded as { readonly rcode?: string }).rcode ?? 'NOERROR';
}

function keyOf(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
