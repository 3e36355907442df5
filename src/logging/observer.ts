import type { Logger } from 'pino';
import { formatAddress } from '../core/address.ts';
import { hinted, listenHinted } from '../core/errno-hint.ts';
import type {
  AttacheEvent,
  CandidateEjectedEvent,
  CandidateDetailIgnoredEvent,
  CandidateIgnoredEvent,
  CandidateRecoveredEvent,
  CandidatesChangedEvent,
  DescriptorsEvent,
  DialFailedEvent,
  MemoryEvent,
  DiscoveryStateEvent,
  HoldEvent,
  InternalErrorEvent,
  LifecycleEvent,
  ListenFailedEvent,
  ListeningEvent,
  NoCandidatesEvent,
  Observer,
  ProxyHeaderRefusedEvent,
  StateFileEvent,
  TlsFailedEvent,
  TlsMaterialEvent,
} from '../core/observer.ts';
import { writeConfiguration } from './configuration-lines.ts';
import { kindOf, writeHealth } from './health-lines.ts';
import { LineLimit } from './line-limit.ts';
import { shorten } from './serialize-error.ts';

/** Turns events into log lines; finished connections have a log of their own (`accessLog`). */
export function eventLog(logger: Logger, now?: () => number): Observer {
  const log = new EventLog(logger, now);
  return (event) => log.write(event);
}

const WINDOW_MS = 10_000;
/** Anyone who can write to the registry can make these. */
const IGNORED_LINES = 20;
const ERROR_LINES = 20;
/** Anyone who can reach the listener can make these. */
const HANDSHAKE_LINES = 20;
const HEADER_LINES = 20;
/** One that fails and answers by turns can make these. */
const HEALTH_LINES = 20;
/** A lone client that finds nobody makes two of these. */
const HOLD_LINES = 20;
const MAX_KEY = 256;
const MAX_CANDIDATES = 20;

class EventLog {
  readonly #logger: Logger;
  readonly #pauses: LineLimit;
  readonly #ignored: LineLimit;
  readonly #refusals: LineLimit;
  readonly #errors: LineLimit;
  readonly #handshakes: LineLimit;
  readonly #headers: LineLimit;
  readonly #health: LineLimit;
  readonly #holds: LineLimit;
  /** Last errno of each listener that does not listen. */
  readonly #listenFaults = new Map<string, string>();
  /** Last thing said about each service's discovery. */
  readonly #discovery = new Map<string, string>();

  constructor(logger: Logger, now: (() => number) | undefined) {
    this.#logger = logger;
    const limit = (lines: number) =>
      new LineLimit({ lines, windowMs: WINDOW_MS, ...(now === undefined ? {} : { now }) });
    this.#pauses = limit(1);
    this.#ignored = limit(IGNORED_LINES);
    this.#refusals = limit(IGNORED_LINES);
    this.#errors = limit(ERROR_LINES);
    this.#handshakes = limit(HANDSHAKE_LINES);
    this.#headers = limit(HEADER_LINES);
    this.#health = limit(HEALTH_LINES);
    this.#holds = limit(HOLD_LINES);
  }

  write(event: AttacheEvent): void {
    switch (event.type) {
      case 'listening':
        this.#listening(event);
        return;
      case 'listen-failed':
        this.#listenFailed(event);
        return;
      case 'listener-closed': {
        const { service, listener, reason } = event;
        this.#logger.info({ service, listener, reason }, 'listener closed');
        return;
      }
      case 'connection-opened': {
        const { service, id, client } = event;
        this.#logger.debug({ service, id, client }, 'connection opened');
        return;
      }
      case 'connection-established':
      case 'connection-closed':
        return;
      case 'dial-failed':
        this.#dialFailed(event);
        return;
      case 'proxy-header-refused':
        this.#headerRefused(event);
        return;
      case 'tls-failed':
        this.#tlsFailed(event);
        return;
      case 'tls-material':
        this.#tlsMaterial(event);
        return;
      case 'candidates-changed':
        this.#candidatesChanged(event);
        return;
      case 'candidate-ejected':
        this.#candidateEjected(event);
        return;
      case 'candidate-recovered':
        this.#candidateRecovered(event);
        return;
      case 'candidate-health':
      case 'registration':
      case 'role-split': {
        const kind = kindOf(event);
        const suppressed = this.#health.admit(`${event.service}/${kind}`);
        if (suppressed !== undefined) writeHealth(this.#logger, event, counted(suppressed));
        return;
      }
      case 'configuration':
      case 'services-key':
        writeConfiguration(this.#logger, event);
        return;
      case 'health-checked':
        return;
      case 'discovery-state':
        this.#discoveryState(event);
        return;
      case 'candidate-ignored':
        this.#candidateIgnored(event, 'candidate ignored');
        return;
      case 'candidate-detail-ignored':
        this.#candidateIgnored(event, 'candidate detail ignored');
        return;
      case 'no-candidates':
        this.#noCandidates(event);
        return;
      case 'accept-failed': {
        const { service, errno } = event;
        const suppressed = this.#pauses.admit(errno);
        if (suppressed !== undefined) this.#logger.error({ service, errno, ...counted(suppressed) }, 'accept failed');
        return;
      }
      case 'descriptors':
        this.#descriptors(event);
        break;
      case 'memory':
        this.#memory(event);
        return;
      case 'connections-reset': {
        const { service, connections, mode, cause } = event;
        this.#logger.info({ service, connections, mode, cause }, 'connections reset');
        return;
      }
      case 'state-file':
        this.#stateFile(event);
        return;
      case 'hold':
        this.#hold(event);
        return;
      case 'lifecycle':
        this.#lifecycle(event);
        return;
      case 'internal-error':
        this.#internalError(event);
        return;
    }
  }

  #descriptors({ state, limit, inUse, most, connections, refused, errno }: DescriptorsEvent): void {
    if (state === 'scarce') {
      const fields = { maxConnections: connections, most, limit };
      this.#logger.warn(
        fields,
        'MAX_CONNECTIONS exceeds the limit of file descriptors: raise that limit or lower MAX_CONNECTIONS',
      );
      return;
    }
    const fields = { connections, most, inUse, limit, errno };
    if (state === 'exhausted')
      this.#logger.error(fields, 'out of file descriptors: refusing clients; raise the limit of open files');
    else this.#logger.info({ ...fields, refused }, 'file descriptors available again');
  }

  #listening({ service, listener, address, addresses, missing = [] }: ListeningEvent): void {
    this.#listenFaults.delete(`${service}/${listener}`);
    const all = addresses && { addresses: addresses.map(formatAddress) };
    this.#logger.info({ service, listener, address: formatAddress(address), ...all }, 'listening');
    for (const { address: lacking, errno } of missing)
      this.#logger.warn(
        { service, listener, address: formatAddress(lacking), errno },
        'address skipped: not on this machine',
      );
  }

  #memory({ state, limit, resident, heapLimit, heap, connections, refused }: MemoryEvent): void {
    const fields = { connections, resident, limit, heap, heapLimit };
    if (state === 'exhausted')
      this.#logger.error(fields, 'out of memory: refusing clients; raise the memory limit or lower MAX_CONNECTIONS');
    else this.#logger.info({ ...fields, refused }, 'memory available again');
  }

  #listenFailed({ service, listener, address, errno, retryInMs }: ListenFailedEvent): void {
    const key = `${service}/${listener}`;
    const isNews = this.#listenFaults.get(key) !== errno;
    this.#listenFaults.set(key, errno);
    const where = { service, listener, address: formatAddress(address) };
    const fields = { ...where, errno, ...listenHinted(errno), retryInMs: Math.round(retryInMs) };
    if (isNews) this.#logger.error(fields, 'listen failed');
    else this.#logger.debug(fields, 'listen failed');
  }

  #dialFailed({ service, id, candidate, errno, ms, refusal }: DialFailedEvent): void {
    const fields = { service, id, candidate, errno, ms: Math.round(ms) };
    const suppressed = refusal === undefined ? undefined : this.#refusals.admit(service);
    if (suppressed === undefined) this.#logger.debug(fields, 'dial failed');
    else this.#logger.warn({ ...fields, reason: `not allowed: ${refusal}`, ...counted(suppressed) }, 'dial refused');
  }

  #headerRefused({ service, id, address, code }: ProxyHeaderRefusedEvent): void {
    const suppressed = this.#headers.admit(service);
    if (suppressed === undefined) return;
    this.#logger.warn({ service, id, address, code, ...counted(suppressed) }, 'proxy header refused');
  }

  #tlsFailed({ service, id, side, address, code, peer }: TlsFailedEvent): void {
    const suppressed = this.#handshakes.admit(`${service}/${side}`);
    if (suppressed === undefined) return;
    this.#logger.warn({ service, id, side, address, code, peer, ...counted(suppressed) }, 'tls failed');
  }

  #tlsMaterial({
    service,
    outcome,
    subject,
    serial,
    notAfterMs,
    warnings = [],
    error,
    nextInMs,
  }: TlsMaterialEvent): void {
    const notAfter = notAfterMs === undefined ? undefined : new Date(notAfterMs).toISOString();
    const fields = { service, outcome, subject, serial, notAfter };
    if (error !== undefined) {
      const retryInMs = nextInMs === undefined ? undefined : Math.round(nextInMs);
      this.#logger.error({ service, outcome, error: shorten(error), retryInMs }, 'tls material');
    } else if (outcome === 'expiring') this.#logger.warn(fields, 'tls material');
    else this.#logger.info(fields, 'tls material');
    for (const warning of warnings) this.#logger.warn({ service, warning: shorten(warning) }, 'tls material');
  }

  #candidatesChanged({ service, candidates, added, removed }: CandidatesChangedEvent): void {
    const shown = (list: readonly string[]) => list.slice(0, MAX_CANDIDATES);
    this.#logger.info(
      {
        service,
        candidates: candidates.length,
        added: added.length,
        removed: removed.length,
        addedCandidates: shown(added),
        removedCandidates: shown(removed),
      },
      'candidates changed',
    );
  }

  #candidateEjected({ service, candidate, errno, fails, forMs, again }: CandidateEjectedEvent): void {
    const fields = { service, candidate, errno, ...hinted(errno), fails, forMs };
    if (again) {
      this.#logger.debug(fields, 'candidate still ejected');
      return;
    }
    const suppressed = this.#health.admit(`${service}/ejected`);
    if (suppressed !== undefined) this.#logger.warn({ ...fields, ...counted(suppressed) }, 'candidate ejected');
  }

  #candidateRecovered({ service, candidate, by }: CandidateRecoveredEvent): void {
    const suppressed = this.#health.admit(`${service}/recovered`);
    if (suppressed !== undefined)
      this.#logger.info({ service, candidate, by, ...counted(suppressed) }, 'candidate recovered');
  }

  #discoveryState({ service, status, error }: DiscoveryStateEvent): void {
    const said = error === undefined ? status : `${status}, failing`;
    if (this.#discovery.get(service) === said) return;
    this.#discovery.set(service, said);
    const fields = { service, status, ...(error === undefined ? {} : { error: shorten(error) }) };
    if (status === 'synced') this.#logger.info(fields, 'discovery synced');
    else if (status === 'stale') this.#logger.warn(fields, 'discovery stale');
    else if (error === undefined) this.#logger.debug(fields, 'discovery starting');
    else this.#logger.warn(fields, 'discovery starting');
  }

  #candidateIgnored({ service, key, reason }: CandidateIgnoredEvent | CandidateDetailIgnoredEvent, text: string): void {
    const suppressed = this.#ignored.admit(service);
    if (suppressed === undefined) return;
    this.#logger.warn({ service, key: shorten(key, MAX_KEY), reason, ...counted(suppressed) }, text);
  }

  #noCandidates({ service, directory, nearest }: NoCandidatesEvent): void {
    const near = nearest && { nearest: shorten(nearest.directory, MAX_KEY), nearestMembers: nearest.members };
    const text =
      nearest === undefined
        ? 'no candidate: the directory has no member; register one there, or correct SRV'
        : nearest.directory === directory
          ? 'no candidate: no member of the directory can be used; see "candidate ignored"'
          : 'no candidate: the directory has no member; register one there, or correct SRV to the nearest';
    this.#logger.warn({ service, directory, ...near }, text);
  }

  #stateFile({ outcome, path, error }: StateFileEvent): void {
    const fields = { outcome, path, ...(error === undefined ? {} : { error: shorten(error) }) };
    if (outcome === 'recovered') this.#logger.info(fields, 'state file');
    else this.#logger.warn(fields, 'state file');
  }

  #hold({ service, listener, phase, connections, ms }: HoldEvent): void {
    const suppressed = this.#holds.admit(service);
    if (suppressed === undefined) return;
    const fields = { service, listener, ...counted(suppressed) };
    if (phase === 'began') this.#logger.warn(fields, 'holding clients: no candidate answers');
    else this.#logger.info({ ...fields, connections, ms: Math.round(ms ?? 0) }, 'no clients held any more');
  }

  #lifecycle({ phase, connections }: LifecycleEvent): void {
    const fields = { phase, connections };
    if (phase === 'cutting' && connections > 0) this.#logger.warn(fields, 'lifecycle');
    else this.#logger.info(fields, 'lifecycle');
  }

  #internalError({ service, where, error }: InternalErrorEvent): void {
    const suppressed = this.#errors.admit(where);
    if (suppressed === undefined) return;
    this.#logger.error({ service, where, err: error, ...counted(suppressed) }, 'internal error');
  }
}

function counted(suppressed: number): { suppressed?: number } {
  return suppressed === 0 ? {} : { suppressed };
}
