import type { EjectionSettings } from '../balancing/ejection.ts';
import type { Policy } from '../balancing/policies.ts';
import type { Address } from '../core/address.ts';
import type { Admission } from './admission.ts';
import type { Observer } from '../core/observer.ts';
import type { CandidateSource } from '../discovery/source.ts';
import type { DialSettings, Engine, TlsAcceptSettings } from '../transport/engine.ts';
import type { OwnDials } from '../core/own-dials.ts';
import type { RecoveryTiming } from './recovery-probes.ts';
import type { TimeLimitSettings } from './time-limits.ts';
import type { OnChange } from '../core/on-change.ts';
import type { HealthOptions } from './service-health.ts';

/** What one service is made of. */
export interface ServiceParts extends TimeLimitSettings, EjectionSettings {
  readonly name: string;
  /** One; or several, tied one-to-one to the candidates (cluster mode). */
  readonly listeners: readonly Address[];
  readonly source: CandidateSource;
  /** Accepts, dials and carries; shared by all services of the process. */
  readonly engine: Engine;
  /** Called once per listener. */
  readonly policy: () => Policy;
  readonly dialing: DialSettings;
  /** Default: clients speak plainly. */
  readonly accepting?: TlsAcceptSettings | undefined;
  /** Clients are expected to send a PROXY protocol header; default: false. */
  readonly acceptProxyProtocol?: boolean | undefined;
  /** The header that candidates are sent; default: `off`. */
  readonly proxyProtocol?: 'off' | 'v1' | 'v2' | undefined;
  /** When candidates that are ejected are probed; a test that counts dials changes it. */
  readonly recoveryTiming?: RecoveryTiming | undefined;
  /** How its candidates are checked; default: nobody asks them. */
  readonly health?: HealthOptions | undefined;
  /** How long a client is held while no candidate answers, ms; 0: it is closed at once. */
  readonly holdTimeoutMs: number;
  /** 0: no limit. */
  readonly maxConnections: number;
  /** Shared by all services of the process. */
  readonly admission: Admission;
  /** Shared by all services of the process; default: its own. */
  readonly ownDials?: OwnDials | undefined;
  /** Of the files of its Unix sockets; default: everybody may connect. */
  readonly socketMode?: number | undefined;
  readonly onChange: OnChange;
  readonly onChangeTimeoutMs: number;
  readonly resetJitterMs: number;
  readonly observer: Observer;
  /** Numbers connections over the whole process. */
  readonly nextId: () => number;
  /** Open connections of services of this name that have left; they count for `maxConnections`. */
  readonly elders?: (() => number) | undefined;
}

/** What may change while a service runs. */
export type RenewableSettings = TimeLimitSettings &
  EjectionSettings &
  Pick<
    ServiceParts,
    'policy' | 'dialing' | 'holdTimeoutMs' | 'maxConnections' | 'onChange' | 'onChangeTimeoutMs' | 'resetJitterMs'
  >;
