import type { Balance, Config, LogLevel, Net, OnChange } from './config.ts';
import { requireOwnNames } from './declare.ts';
import type { Draft } from './draft.ts';
import { didYouMean, nearest } from './nearest.ts';
import { Report } from './report.ts';
import { resolve } from './resolve.ts';
import { draftOfObject, type ObjectDialect } from './service-object.ts';
import { Settings } from './setting.ts';
import { describeType, textOfValue } from './value-text.ts';
import { optionOf, wordNamed, words } from './words.ts';

/** A duration: a number of milliseconds, or a text such as `500ms`, `5s`, `1m30s`, `2h`; 0 is off. */
export type DurationOption = number | string;

/** One or several addresses: `:6379`, `host:6379`, `[::1]:6379`, `unix:/run/app.sock`. */
export type AddressesOption = string | readonly string[];

/** One service: where it listens, and the candidates it carries connections to. */
export interface ServiceOptions {
  /** Default `default`; must differ between services. */
  readonly name?: string | undefined;
  /** Where to listen; port 0 lets the system pick. Several are cluster mode: the n-th listener has the n-th candidate. */
  readonly src: AddressesOption;
  /** Static candidates, tried in the order given. This or `srv`. */
  readonly dst?: AddressesOption | undefined;
  /** Service directory in the discovery backend, e.g. `/srv/redis/debug`. This or `dst`. */
  readonly srv?: string | undefined;
  /** Default `tcp4`. */
  readonly net?: Net | undefined;
  /** True is `balance: 'round-robin'`, false is `'ordered'`. */
  readonly lb?: boolean | undefined;
  /** Default `ordered`. */
  readonly balance?: Balance | undefined;
  /** One attempt at one candidate; default 5 s. */
  readonly connectTimeout?: DurationOption | undefined;
  /** Further candidates a balanced connection may try; default 0. */
  readonly retries?: number | undefined;
  /** Connect failures in a row that set a candidate aside, to be tried last; default 3, 0 is never. */
  readonly maxFails?: number | undefined;
  /** How long a candidate stays aside; default 10 s, 0 is not at all. */
  readonly failTimeout?: DurationOption | undefined;
  /** How long a new client is held, unread, while no candidate answers; default 0: it is closed at once. */
  readonly holdTimeout?: DurationOption | undefined;
  /** What a change of membership does to established connections; default `reset`. */
  readonly onChange?: OnChange | undefined;
  /** With `onChange: 'drain'`; default 30 s. */
  readonly drainTimeout?: DurationOption | undefined;
  /** Spreads resets evenly over this time; default 0. */
  readonly resetJitter?: DurationOption | undefined;
  /** Closes a connection on which no byte moved either way; default 0. */
  readonly idleTimeout?: DurationOption | undefined;
  /** How long one direction may idle after the other has finished; default 60 s. */
  readonly halfCloseTimeout?: DurationOption | undefined;
  /** Closes a connection after this long, give or take 10%; default 0: never. */
  readonly maxLifetime?: DurationOption | undefined;
  /** TCP keep-alive on both sides; default 30 s. */
  readonly keepalive?: DurationOption | undefined;
  /** Beyond it new clients are closed at once; default 0, no limit. */
  readonly maxConnections?: number | undefined;
  /** The header sent to the candidate; default `off`. */
  readonly proxyProtocol?: 'off' | 'v1' | 'v2' | undefined;
  /** Whether clients have to send such a header, version 1 or 2; default false. */
  readonly acceptProxyProtocol?: boolean | undefined;
  /** `client`: plain in, TLS out; `server`: TLS in, plain out; default `off`. */
  readonly tlsMode?: 'off' | 'client' | 'server' | undefined;
  /** Directory or `s3://bucket/prefix` holding `ca.pem`, `cert.pem` and `key.pem`. */
  readonly tlsCertpath?: string | undefined;
  /** One by one, each a path, `file://` or `s3://`; they win over `tlsCertpath`. */
  readonly tlsCacert?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  /** Client mode: sent as SNI and checked in the server's certificate; default: the candidate's host. */
  readonly tlsServerName?: string | undefined;
  /** Default `TLSv1.2`. */
  readonly tlsMinVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** Server mode: whether clients must show a certificate; default `require`. */
  readonly tlsClientAuth?: 'require' | 'none' | undefined;
  /** Server mode: whom to let in, e.g. `dns:api.internal`; default: everybody whose certificate is good. */
  readonly tlsAllow?: string | readonly string[] | undefined;
  /** How often the material is read again; default 1 min. */
  readonly tlsReload?: DurationOption | undefined;
}

/** The configuration of an ambassador as an object: the words of the environment in camel case. */
export interface AmbassadorOptions {
  readonly services: readonly ServiceOptions[];
  /** etcd endpoints `http(s)://host:port`, or one `file:///directory`; default `http://127.0.0.1:2379`. */
  readonly dsc?: string | readonly string[] | undefined;
  readonly etcdUsername?: string | undefined;
  readonly etcdPassword?: string | undefined;
  /** Paths of PEM files. */
  readonly etcdCacert?: string | undefined;
  readonly etcdCert?: string | undefined;
  readonly etcdKey?: string | undefined;
  /** What becomes of the last set while the backend cannot be reached; default `keep`. */
  readonly discoveryOnFailure?: 'keep' | 'clear' | undefined;
  /** Only discovered addresses inside these CIDR blocks are dialed; default: all but link-local. */
  readonly discoveryAllow?: string | readonly string[] | undefined;
  /** File that keeps the last good sets, for a start while the backend is down; default: none. */
  readonly stateFile?: string | undefined;
  /** Listen address of health and status; default `off`, unlike the program's. */
  readonly httpAddr?: string | undefined;
  /** Listen address of calls that change something; default `off`, unlike the program's. */
  readonly adminAddr?: string | undefined;
  readonly readyMinCandidates?: number | undefined;
  readonly drainDelay?: DurationOption | undefined;
  readonly shutdownTimeout?: DurationOption | undefined;
  /** Whether bytes are carried past the streams of sockets; default `auto`: if a check at the start finds that it works. */
  readonly directIo?: 'auto' | 'on' | 'off' | undefined;
  readonly logLevel?: LogLevel | undefined;
  readonly logFormat?: 'json' | 'pretty' | undefined;
  readonly accessLog?: boolean | undefined;
}

const serviceOptions = new Map(
  words.filter(({ scope }) => scope === 'service').map((word) => [optionOf(word.name), word]),
);
/** Services are given as objects here, so the two words that hold their JSON are none. */
const processOptions = new Map(
  words
    .filter(({ scope, name }) => scope === 'process' && name !== 'SERVICES' && name !== 'SERVICES_FILE')
    .map((word) => [optionOf(word.name), word]),
);

const dialect: ObjectDialect = {
  wordOf: (key) => serviceOptions.get(key),
  keyOf: optionOf,
  keys: ['name', ...serviceOptions.keys()],
  isUnset: (value) => value === undefined,
  numbers: 'ms',
  defaultName: 'default',
};

/**
 * The configuration that options of the library come to; frozen, all the way down. Options that are `undefined` are
 * not set.
 *
 * @throws ConfigError with every fault there is; settings are paths such as `services[0].connectTimeout`
 */
export function resolveOptions(options: AmbassadorOptions): Config {
  const report = new Report();
  const given: unknown = options;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    report.fault('options', `expected an object, got ${describeType(given)}`);
    report.throwIfFaulty();
  }
  const process = processSettings(Object(given) as object, report);
  const services = serviceDrafts((Object(given) as Partial<AmbassadorOptions>).services, report);
  return resolve({ process, defaults: new Settings(report), services, spell: optionOf }, report);
}

function processSettings(options: object, report: Report): Settings {
  const settings = new Settings(report);
  for (const [key, value] of Object.entries(options)) {
    if (key === 'services' || value === undefined) continue;
    const word = processOptions.get(key);
    if (word === undefined) {
      const hint = didYouMean(nearest(key, ['services', ...processOptions.keys()]));
      report.fault(key, `expected an option of an ambassador, got an unknown key${hint}`);
      continue;
    }
    const read = textOfValue(value, word, 'ms');
    if (read.ok) settings.put({ word, text: read.text, origin: key, fromFlag: false, isPath: false });
    else {
      report.fault(key, read.message);
      settings.refuse(word.name, key);
    }
  }
  for (const name of ['HTTP_ADDR', 'ADMIN_ADDR']) {
    if (settings.has(name)) continue;
    settings.put({ word: wordNamed(name), text: 'off', origin: optionOf(name), fromFlag: false, isPath: false });
  }
  return settings;
}

function serviceDrafts(services: unknown, report: Report): Draft['services'] {
  if (!Array.isArray(services)) {
    report.fault(
      'services',
      `expected a list of services, got ${services === undefined ? 'none' : describeType(services)}`,
    );
    return [];
  }
  if (services.length === 0) report.fault('services', 'expected at least one service, got none');
  const drafts = services.flatMap((value: unknown, index) => {
    const object = { value, origin: `services[${index}]`, fromFlag: false };
    return draftOfObject(object, dialect, report) ?? [];
  });
  requireOwnNames(drafts, report);
  return drafts;
}
