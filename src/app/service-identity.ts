import type { LookupFunction } from 'node:net';
import type { ServiceConfig, TlsConfig } from '../config/config.ts';
import type { ReloadResult } from './reload-result.ts';
import { AttacheError } from '../core/errors.ts';
import type { TlsStatus } from '../core/status.ts';
import type { Observer, TlsMaterialEvent } from '../core/observer.ts';
import type { MaterialReloader } from '../identity/material-reloader.ts';
import type { MaterialPurpose, MaterialReport, TlsMaterial } from '../identity/material.ts';
import { commonName } from '../identity/certificate-names.ts';
import { peerName, peerPolicy } from '../identity/peer.ts';
import type { TlsAcceptSettings, TlsDialSettings } from '../transport/engine.ts';
import { Handshakes } from '../transport/handshakes.ts';
import { TlsSessions } from '../transport/tls-sessions.ts';

/** TLS that is on, in either mode. */
export type ActiveTls = Exclude<TlsConfig, { readonly mode: 'off' }>;

export interface IdentityParts {
  readonly observer: Observer;
  /** Looks names of S3 up. */
  readonly lookup: LookupFunction;
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
  readonly #lookup: LookupFunction;
  #reloader: MaterialReloader | undefined;
  #onTrouble: () => void = () => undefined;
  #isStopped = false;
  #lastFault: 'refused' | 'unavailable' | undefined;

  /** Resolves when the first look has met trouble that can pass. */
  readonly troubled = new Promise<void>((resolve) => {
    this.#onTrouble = resolve;
  });

  constructor(service: ServiceConfig, tls: ActiveTls, { observer, lookup }: IdentityParts) {
    this.#service = service.name;
    this.#tls = tls;
    this.#observer = observer;
    this.#lookup = lookup;
    const material = (): TlsMaterial | undefined => this.#reloader?.current;
    const peers = {
      policy: peerPolicy(tls.mode === 'server' ? tls.allow : []),
      nameOf: peerName,
      // Only version 2 of the header tells candidates about TLS.
      commonNameOf: tls.mode === 'server' && service.proxyProtocol === 'v2' ? commonName : undefined,
    };
    if (tls.mode === 'server') {
      const { clientAuth, strictClose } = tls;
      const handshakes = new Handshakes();
      this.accepting = { material, clientAuth, peers, strictClose, timeoutMs: service.connectTimeoutMs, handshakes };
    } else {
      this.dialing = {
        material,
        serverName: tls.serverName,
        peers,
        strictClose: tls.strictClose,
        sessions: new TlsSessions(),
        handshakes: new Handshakes(),
      };
    }
  }

  get status(): TlsStatus {
    const { mode } = this.#tls;
    const state = this.#reloader?.state;
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
    const [{ MaterialReloader: Reloader }, { materialSource }] = await Promise.all([
      import('../identity/material-reloader.ts'),
      import('../identity/sources.ts'),
    ]);
    if (this.#isStopped) throw new AttacheError('closed', 'the service was closed before its TLS material was read');
    const { origins, reloadMs } = this.#tls;
    const source = materialSource({ origins, lookup: this.#lookup });
    this.#reloader = new Reloader({
      source,
      purpose: purposeOf(this.#tls),
      reloadMs,
      report: (it) => this.#report(it),
    });
    await this.#reloader.load();
  }

  /** Reads the material now; never rejects. */
  async reload(): Promise<ReloadResult> {
    const service = this.#service;
    const before = this.#reloader?.current;
    await this.#reloader?.reload();
    const state = this.#reloader?.state;
    if (state?.status === 'ready') {
      return { service, outcome: state.material === before ? 'unchanged' : 'loaded' };
    }
    const error = state?.error ?? 'the first reading is under way';
    return { service, outcome: this.#lastFault === 'refused' ? 'refused' : 'unavailable', error };
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#reloader?.stop();
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
    }
  }
}

/** What material of a service is for. */
export function purposeOf(tls: ActiveTls): MaterialPurpose {
  const { minVersion, ciphers } = tls;
  return tls.mode === 'client'
    ? { role: 'client', minVersion, ciphers }
    : { role: 'server', clientAuth: tls.clientAuth, minVersion, ciphers };
}

function factsOf({ leaf, notAfterMs, warnings }: TlsMaterial): Partial<TlsMaterialEvent> {
  return { subject: leaf?.subject, serial: leaf?.serial, notAfterMs, warnings };
}
