/** What the addon of `native/` exports: `native/addon.c`. Nobody calls it but this folder. */
export interface NativeAddon {
  /** Why this process cannot have the engine; null: it can. */
  probe(): string | null;
  /**
   * Begins the one engine of the process.
   *
   * @param onRecords called when there are records to read, on the event loop of JavaScript
   * @throws an error with the code `ENGINE_IN_USE` when the process has one, `ENGINE_FAILED` when memory or descriptors are short
   */
  start(onRecords: () => void): SharedMemory;
  /**
   * As the system has it.
   *
   * @param port below 0: `host` is the path of a Unix socket
   * @returns undefined when `host` is no IP address, or no path that fits
   */
  address(host: string, port: number): Buffer | undefined;
  /** Binds and listens. @returns a descriptor, or below zero an errno */
  listen(address: Buffer, isIpv6Only: boolean, keepAliveMs: number): number;
  /** Where a descriptor listens; undefined: no TCP. */
  bound(descriptor: number): { readonly host: string; readonly port: number } | undefined;
  /** New clients are refused from now on. The descriptor stays open until the thread is told. */
  refuse(descriptor: number): void;
  /** @returns false when there is no memory for them */
  command(words: Uint32Array, count: number): boolean;
  /** A copy of what an end has lent. */
  lent(slot: number): Buffer;
  /** @throws an error whose code is OpenSSL's when it does not take them */
  context(settings: TlsContextSettings): TlsContext;
  /**
   * Begins a handshake, behind all commands of before.
   *
   * @param name what a candidate's certificate must say; undefined: the end is a client
   * @param target names a candidate's sessions
   * @returns false when there is no memory for it
   */
  secure(
    slot: number,
    generation: number,
    context: TlsContext,
    isStrict: boolean,
    name: string | undefined,
    target: string | undefined,
  ): boolean;
  /** What there is to say of an end's TLS, once; undefined: nothing. */
  report(slot: number): Buffer | undefined;
  /** ms, of the clock that the counters have. */
  now(): number;
  /** From now on a fault of the process says on stderr how to go on without the engine, before it ends the process. */
  faults(): void;
  /** Whether the engine keeps the event loop alive. */
  hold(isHeld: boolean): void;
}

/** What both threads read. */
export interface SharedMemory {
  /** Records of the thread: see `Records`. */
  readonly ring: ArrayBuffer;
  /** Counters of the ends: see `Live`. */
  readonly live: ArrayBuffer;
  /** Slots that the thread names; as many again, from here on, are named by JavaScript. */
  readonly clients: number;
}

/** Material as the thread has it; collected like any object. */
export interface TlsContext {
  readonly [context]: never;
}

declare const context: unique symbol;

export interface TlsContextSettings {
  readonly isServer: boolean;
  readonly asksClients: boolean;
  /** TLS 1.3 alone. */
  readonly isModern: boolean;
  readonly chain: string | undefined;
  readonly key: string | undefined;
  readonly authorities: string | undefined;
  readonly ciphers: string;
  readonly suites: string;
  readonly fingerprint: string;
}
