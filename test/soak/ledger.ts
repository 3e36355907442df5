/** What one client has written under one key to each run of a server: what it may read there. */
export class Ledger {
  readonly #runs = new Map<string, { confirmed: string | undefined; readonly unconfirmed: Set<string> }>();

  /** Whether `value` may be what a server has: the last that it confirmed, or one whose confirmation was lost. */
  allows(runId: string, value: string | undefined): boolean {
    const run = this.#runs.get(runId);
    if (run === undefined) return value === undefined;
    return value === run.confirmed || (value !== undefined && run.unconfirmed.has(value));
  }

  /** From now on it may be there: also later than another, when it waited in a connection that was given up. */
  sent(runId: string, value: string): void {
    const run = this.#runs.get(runId) ?? { confirmed: undefined, unconfirmed: new Set() };
    this.#runs.set(runId, run);
    run.unconfirmed.add(value);
  }

  confirmed(runId: string, value: string): void {
    const run = this.#runs.get(runId);
    if (run === undefined) return;
    run.confirmed = value;
    run.unconfirmed.delete(value);
  }
}
