/** What is known of the registry: all by `Date.now()`, which the processes of one machine share. */
export type Evidence =
  /** A put was sent: from then on the member may be there, whatever becomes of the call. */
  | { readonly kind: 'put'; readonly member: string; readonly at: number }
  /** The registry confirmed at `at` that these were all; it was asked at `askedAt`. */
  | { readonly kind: 'members'; readonly members: readonly string[]; readonly askedAt: number; readonly at: number }
  /** The registry confirmed a removal. */
  | { readonly kind: 'removed'; readonly member: string; readonly at: number };

/** The registry could not be asked: from the fault until it answered again. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

/** A time in which a member was surely none. */
export interface Absence {
  readonly member: string;
  /** When the registry confirmed that it had left. */
  readonly from: number;
  /** When it may have been back; Infinity: never. */
  readonly to: number;
  /** From when on nobody may be carried to it. */
  readonly dueAt: number;
}

/**
 * Somebody was carried to a server: all the time in between or, when only one thing is known of it (it was asked at `to`
 * and answered at `from`, which then is later), at some time in between.
 */
export interface Stay {
  readonly member: string;
  readonly from: number;
  readonly to: number;
  /** Whose word that is. */
  readonly who: string;
}

/**
 * The times in which each member was surely none. Evidence is in the order in which it was come by, one call at a time.
 *
 * @param graceMs how long after a confirmed removal, or after the registry could be asked again, somebody may still be
 * carried to the one that left
 */
export function absencesOf(evidence: readonly Evidence[], outages: readonly Outage[], graceMs: number): Absence[] {
  const absences: Absence[] = [];
  /** Those absent now, with when that was confirmed first and last. */
  const absent = new Map<string, { readonly since: number; lastSeen: number }>();
  const end = (member: string, to: number) => {
    const began = absent.get(member);
    if (began === undefined) return;
    absent.delete(member);
    absences.push({ member, from: began.since, to, dueAt: dueAt(began.since, outages, graceMs) });
  };
  const members = new Set(evidence.flatMap((item) => (item.kind === 'members' ? item.members : [item.member])));
  for (const item of evidence) {
    if (item.kind === 'put') end(item.member, item.at);
    else if (item.kind === 'removed') absent.set(item.member, { since: item.at, lastSeen: item.at });
    else {
      for (const member of members) {
        const known = absent.get(member);
        // A call that was given up may be carried out later: from the last look on it may have been back.
        if (item.members.includes(member)) end(member, known?.lastSeen ?? item.askedAt);
        else if (known === undefined) absent.set(member, { since: item.at, lastSeen: item.askedAt });
        else known.lastSeen = item.askedAt;
      }
    }
  }
  for (const member of [...absent.keys()]) end(member, Infinity);
  return absences;
}

/** Stays that go on, or begin, when the member had left for longer than allowed. */
export function overstays(
  stays: readonly Stay[],
  absences: readonly Absence[],
): readonly { readonly stay: Stay; readonly absence: Absence; readonly kind: 'new' | 'established' }[] {
  return stays.flatMap((stay) =>
    absences
      .filter(({ member, dueAt, to }) => member === stay.member && dueAt < to && stay.to > dueAt && stay.from < to)
      .map((absence) => ({ stay, absence, kind: stay.from > absence.from ? 'new' : 'established' }) as const),
  );
}

function dueAt(from: number, outages: readonly Outage[], graceMs: number): number {
  let due = from + graceMs;
  // In order of time: one that follows another closely puts it off once more.
  for (const outage of outages) if (outage.from < due && outage.to > from) due = outage.to + graceMs;
  return due;
}
