import { ageText, bytesText } from '../../amounts.ts';

/** The answer of `/connections/<id>`, as far as it is shown. */
export interface ToldStory {
  readonly story: string;
  readonly state: string;
  readonly service: string;
  readonly client: string;
  readonly via?: string;
  readonly candidate?: string;
  readonly reason?: string;
  readonly endedBy?: string;
  readonly acceptedAt: string;
  readonly closedAt?: string;
  readonly totalMs: number;
  readonly bytesToCandidate: number;
  readonly bytesToClient: number;
  readonly attempts: readonly { readonly candidate: string; readonly ms: number; readonly outcome: string }[];
  readonly tls?: { readonly version: string; readonly peer?: string };
}

/** Names and values of what is known. */
export function storyFacts(told: ToldStory): readonly (readonly [name: string, value: string])[] {
  const { via, candidate, reason, endedBy, closedAt, tls } = told;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['State', told.state],
    ['Service', told.service],
    ['Client', told.client],
    ['Through', via],
    ['Candidate', candidate],
    ['Accepted', told.acceptedAt],
    ['Closed', closedAt],
    ['Lasted', told.totalMs < 1_000 ? `${told.totalMs} ms` : ageText(told.totalMs)],
    ['Sent', bytesText(told.bytesToCandidate)],
    ['Received', bytesText(told.bytesToClient)],
    ['TLS', tls && [tls.version, tls.peer].filter(Boolean).join(', ')],
    ['Why', reason?.replaceAll('_', ' ')],
    ['Ended by', endedBy],
  ];
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

/** One line for each candidate that was tried. */
export function attemptLines({ attempts }: ToldStory): readonly string[] {
  return attempts.map(
    ({ candidate, ms, outcome }) => `${candidate}: ${outcome === 'ok' ? 'connected' : outcome}, ${ms} ms`,
  );
}
