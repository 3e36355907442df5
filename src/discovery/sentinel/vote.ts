/** What one Sentinel says of the members; undefined: it does not know the primary's name. */
export type Vote = readonly string[] | undefined;

/** What the Sentinels that answered say together. */
export type VoteResult =
  | { readonly kind: 'agreed'; readonly members: readonly string[] }
  /** No majority says the same, or most do not know the name. */
  | { readonly kind: 'none'; readonly fault: string };

/** The one address that most say is the primary's. */
export function primaryOf(votes: readonly Vote[], name: string): VoteResult {
  const counts = new Map<string, number>();
  for (const vote of votes) {
    const said = vote?.[0] ?? '';
    counts.set(said, (counts.get(said) ?? 0) + 1);
  }
  const [most = '', count = 0] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [];
  if (!isMajority(count, votes.length)) {
    const said = [...counts].map(([address, times]) => `${address === '' ? 'nobody' : address} (${times})`).sort();
    return { kind: 'none', fault: `Sentinels disagree on the primary of ${name}: ${said.join(', ')}` };
  }
  return most === '' ? unknown(name) : { kind: 'agreed', members: [most] };
}

/** Each address that most say is a replica that is up. */
export function replicasOf(votes: readonly Vote[], name: string): VoteResult {
  const known = votes.filter((vote) => vote !== undefined);
  if (!isMajority(known.length, votes.length)) return unknown(name);
  const counts = new Map<string, number>();
  for (const vote of known) for (const member of new Set(vote)) counts.set(member, (counts.get(member) ?? 0) + 1);
  const members = [...counts].filter(([, count]) => isMajority(count, votes.length)).map(([member]) => member);
  return { kind: 'agreed', members: members.sort() };
}

/** Whether it is more than half of all. */
export function isMajority(count: number, all: number): boolean {
  return count * 2 > all;
}

function unknown(name: string): VoteResult {
  return { kind: 'none', fault: `most Sentinels know no primary ${name}: correct SRV, or SENTINEL MONITOR it there` };
}
