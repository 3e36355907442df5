import type { ServiceConfig, TlsConfig } from './config/config.ts';
import { AttacheError } from './core/errors.ts';
import type { Observer, TlsMaterialEvent } from './core/observer.ts';
import type { MaterialKeeper } from './identity/keeper.ts';
import type { MaterialPurpose, MaterialReport, TlsMaterial } from './identity/material.ts';
import { commonName } from './identity/certificate-names.ts';
import { peerName, peerPolicy } from './identity/peer.ts';
import { Gate } from './transport/gate.ts';
import { MAX_HANDSHAKES, type TlsAcceptSettings } from './transport/tls-accept.ts';
import type { TlsDialSettings } from './transport/tls-dial.ts';
import { TlsSessions } from './transport/tls-sessions.ts';

type ActiveTls = Exclude<TlsConfig, { readonly mode: 'off' }>;

/** How the TLS of a service stands, for readiness and status. */
export interface TlsStatus {
  readonly mode: 'client' | 'server';
  /** `stale`: the last look at the material failed, and what was read before it is in use. */
  readonly status: 'loading' | 'ready' | 'stale';
  readonly error?: string | undefined;
  /** `Date.now()` at which our own certificate expires. */
  readonly notAfterMs?: number | undefined;
  /** Who we are to the other side; undefined without a certificate. */
  readonly certificate?: TlsCertificate | undefined;
}

/** What our own certificate says. */
export interface TlsCertificate {
  readonly subject: string;
  /** Upper-case hexadecimal. */
  readonly serial: string;
}

/**
 * What came of reading a service's TLS material again. `unchanged`: it is the one in use; `loaded`: it is in use now;
 * `refused` and `unavailable`: what was in use stays in use.
 */
export interface ReloadResult {
  readonly service: string;
  readonly outcome: 'unchanged' | 'loaded' | 'refused' | 'unavailable';
  readonly error?: string;
}

/** What one service is and whom it trusts in TLS: its material, kept up to date, and the settings that use it. */
export class ServiceIdentity {
  /** Server mode. */
  readonly accepting: TlsAcceptSettings | undefined;
  /** Client mode. */
  readonly dialing: TlsDialSettings | undefined;
  readonly #service: string;
  readonly #tls: ActiveTls;
  readonly #observer: Observer;
  #keeper: MaterialKeeper | undefined;
  #onTrouble: () => void = () => undefined;
  #isStopped = false;
  #lastFault: 'refused' | 'unavailable' | undefined;

  /** Resolves when the first look has met trouble that can pass. */
  readonly troubled = new Promise<void>((resolve) => {
    this.#onTrouble = resolve;
  });

  constructor(service: ServiceConfig, tls: ActiveTls, observer: Observer) {
    this.#service = service.name;
    this.#tls = tls;
    this.#observer = observer;
    const material = (): TlsMaterial | undefined => this.#keeper?.current;
    const peers = {
      policy: peerPolicy(tls.mode === 'server' ? tls.allow : []),
      nameOf: peerName,
      // Candidates are told of it, by version 2 alone.
      commonNameOf: tls.mode === 'server' && service.proxyProtocol === 'v2' ? commonName : undefined,
    };
    if (tls.mode === 'server') {
      const { clientAuth } = tls;
      const gate = new Gate(MAX_HANDSHAKES);
      this.accepting = { material, clientAuth, peers, timeoutMs: service.connectTimeoutMs, gate };
    } else {
      this.dialing = { material, serverName: tls.serverName, peers, sessions: new TlsSessions() };
    }
  }

  get status(): TlsStatus {
    const { mode } = this.#tls;
    const state = this.#keeper?.state;
    if (state === undefined) return { mode, status: 'loading' };
    const error = state.status === 'ready' ? undefined : state.error;
    if (state.status === 'loading') return { mode, status: 'loading', error };
    const { leaf, notAfterMs } = state.material;
    const certificate = leaf && { subject: leaf.subject, serial: leaf.serial };
    return { mode, status: state.status, error, notAfterMs, ...(certificate && { certificate }) };
  }

  /**
   * Resolves when there is material, however long that takes.
   *
   * @throws MaterialError when it is no good; AttacheError `closed` after `stop`
   */
  async load(): Promise<void> {
    // A service without TLS pays nothing for this.
    const [{ MaterialKeeper: Keeper }, { materialSource }] = await Promise.all([
      import('./identity/keeper.ts'),
      import('./identity/sources.ts'),
    ]);
    if (this.#isStopped) throw new AttacheError('closed', 'it was closed before its TLS material was read');
    const { origins, reloadMs } = this.#tls;
    const source = materialSource({ origins });
    this.#keeper = new Keeper({ source, purpose: purposeOf(this.#tls), reloadMs, report: (it) => this.#report(it) });
    await this.#keeper.load();
  }

  /** Reads the material now; never rejects. */
  async reload(): Promise<ReloadResult> {
    const service = this.#service;
    const before = this.#keeper?.current;
    await this.#keeper?.reload();
    const state = this.#keeper?.state;
    if (state?.status === 'ready') {
      return { service, outcome: state.material === before ? 'unchanged' : 'loaded' };
    }
    const error = state?.error ?? 'the first reading is under way';
    return { service, outcome: this.#lastFault === 'refused' ? 'refused' : 'unavailable', error };
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#keeper?.stop();
  }

  #report(report: MaterialReport): void {
    const shared = { type: 'tls-material', service: this.#service } as const;
    switch (report.kind) {
      case 'loaded':
        this.#observer({ ...shared, outcome: 'loaded', ...factsOf(report.material) });
        return;
      case 'recovered':
      case 'expiring':
        this.#observer({ ...shared, outcome: report.kind, ...factsOf(report.material) });
        return;
      case 'failed': {
        const { error, nextInMs } = report;
        const outcome = error.code === 'tls_material_invalid' ? 'refused' : 'unavailable';
        this.#lastFault = outcome;
        this.#observer({ ...shared, outcome, error: error.message, nextInMs });
        if (nextInMs !== undefined) this.#onTrouble();
        return;
      }
      case 'listener-failed':
        this.#observer({
          type: 'internal-error',
          service: this.#service,
          where: 'TLS material listener',
          error: report.error,
        });
        return;
    }
  }
}

function purposeOf(tls: ActiveTls): MaterialPurpose {
  const { minVersion } = tls;
  return tls.mode === 'client'
    ? { role: 'client', minVersion }
    : { role: 'server', clientAuth: tls.clientAuth, minVersion };
}

function factsOf({ leaf, notAfterMs, warnings }: TlsMaterial): Partial<TlsMaterialEvent> {
  return { subject: leaf?.subject, serial: leaf?.serial, notAfterMs, warnings };
}
