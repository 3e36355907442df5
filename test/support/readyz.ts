import { eventually } from './wait.ts';

/** What `/readyz` answered. */
export interface Readyz {
  readonly status: number;
  readonly services: readonly {
    readonly name: string;
    readonly ready: boolean;
    readonly reasons: readonly string[];
    readonly candidates: number;
    readonly discovery: { readonly status: string; readonly error?: string; readonly lastOkAgeMs?: number };
  }[];
}

/** @returns undefined while nothing listens there */
export async function readyz(port: number): Promise<Readyz | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    return { status: response.status, ...((await response.json()) as Omit<Readyz, 'status'>) };
  } catch {
    return undefined;
  }
}

/** Waits for an answer that fits. */
export async function readyzThat(port: number, fits: (answer: Readyz) => boolean, what: string): Promise<Readyz> {
  let answer: Readyz | undefined;
  await eventually(
    async () => {
      answer = await readyz(port);
      return answer !== undefined && fits(answer);
    },
    what,
    20_000,
  );
  if (answer === undefined) throw new Error('unreachable');
  return answer;
}
