/** Most candidates whose sessions are kept, each some kilobytes. */
const MAX_CANDIDATES = 1_024;

/** The latest TLS session with each candidate, for as long as the material stays the same. */
export class TlsSessions {
  #fingerprint: string | undefined;
  readonly #sessions = new Map<string, Buffer>();

  /** @param fingerprint of the material that would be used */
  get(candidate: string, fingerprint: string): Buffer | undefined {
    return fingerprint === this.#fingerprint ? this.#sessions.get(candidate) : undefined;
  }

  /** Keeps a session that was made with the material of `fingerprint`. */
  put(candidate: string, fingerprint: string, session: Buffer): void {
    if (fingerprint !== this.#fingerprint) {
      this.#fingerprint = fingerprint;
      this.#sessions.clear();
    }
    this.#sessions.delete(candidate);
    this.#sessions.set(candidate, session);
    if (this.#sessions.size <= MAX_CANDIDATES) return;
    for (const oldest of this.#sessions.keys()) {
      this.#sessions.delete(oldest);
      break;
    }
  }

  /** Forgets a session that did not serve, or every one of a candidate that left. */
  drop(candidate: string): void {
    this.#sessions.delete(candidate);
  }
}
