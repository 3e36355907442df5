import { setTimeout as pause } from 'node:timers/promises';
import { startEtcd } from '../support/etcd.ts';
import { startRedis } from '../support/redis.ts';
import type { Scope } from '../support/scope.ts';
import { eventually } from '../support/wait.ts';
import { absencesOf, overstays } from './absences.ts';
import { Clients } from './clients.ts';
import { Edits, type EditsFindings } from './edits.ts';
import type { ClientReport } from './client-main.ts';
import { Faults } from './faults.ts';
import { HealthWatch } from './health-watch.ts';
import { judgeLog, type LogFindings } from './log-judge.ts';
import { ALL_MEMBERS, MEMBERS } from './plan.ts';
import { lastingServices, Program, type Quiet } from './program.ts';
import { Registrars, type RegistrarsFindings } from './registrars.ts';
import { Registry } from './registry.ts';
import { Roles, type RolesFindings } from './roles.ts';

export interface SoakOptions {
  /** Of the faults after the warm-up. */
  readonly ms: number;
  readonly seed: number;
  /** Told what goes on, for people. */
  readonly say: (text: string) => void;
  /** How long somebody may still be carried to a member whose removal was confirmed; default 2 s. */
  readonly graceMs?: number;
  readonly signal?: AbortSignal;
}

/** Everything that was seen; `verdict.ts` says what of it may not be. */
export interface Findings {
  readonly seed: number;
  readonly ms: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly stepFailures: readonly string[];
  readonly registryWrites: number;
  readonly outages: number;
  readonly clients: Pick<ClientReport, 'tally' | 'wrong'>;
  /** The client that got no answer once everything was well again; undefined: all did. */
  readonly stuck: string | undefined;
  readonly roles: RolesFindings;
  readonly edits: EditsFindings;
  readonly registrars: RegistrarsFindings;
  readonly overstays: readonly string[];
  readonly absences: number;
  readonly stays: { readonly byClients: number; readonly byLog: number };
  readonly log: Omit<LogFindings, 'stays'>;
  readonly warm: Quiet;
  readonly end: Quiet;
  /** Second of the run, resident kB, open descriptors. */
  readonly curve: readonly (readonly [number, number, number])[];
  readonly loop: { readonly maxMs: number; readonly p99Ms: number };
  readonly health: { readonly asked: number; readonly slowestMs: number; readonly failures: readonly string[] };
  readonly complaints: readonly string[];
  readonly exit: number | string;
}

const GRACE_MS = 2_000;

const SAMPLE_EVERY_MS = 1_000;
const RECOVERY_LIMIT_MS = 20_000;

/**
 * Runs it. Everything that it starts ends with `scope`.
 *
 * @throws Error when it could not be carried through: a server does not come up, the program ends by itself, ...
 */
export async function runSoak(scope: Scope, options: SoakOptions): Promise<Findings> {
  const { ms, seed, say, graceMs = GRACE_MS, signal = new AbortController().signal } = options;
  const etcd = await startEtcd(scope);
  const redises = await Promise.all(Array.from({ length: MEMBERS }, (_, n) => startRedis(scope, `redis-${n + 1}`)));
  const registry = new Registry(
    etcd,
    redises.map(({ port }) => `127.0.0.1:${port}`),
  );
  await registry.swap(ALL_MEMBERS);
  const started = Date.now();
  const seconds = () => (Date.now() - started) / 1_000;
  const onStep = (target: string, step: object) => say(`${seconds().toFixed(1)} s ${target}: ${JSON.stringify(step)}`);
  const roles = await Roles.start(scope, { seed, onStep });
  const edits = await Edits.prepare(scope, { seed, onStep, lasting: lastingServices(roles.addresses) });
  const program = await Program.start(scope, etcd.url, edits.file);
  const registrars = await Registrars.start(scope, { seed, onStep, etcd });
  const ports = await program.ports();
  await program.probe();
  const died = program.died();
  // It is looked at where it matters; at the end it is no news.
  died.catch(() => undefined);
  const clients = new Clients(scope);
  const health = new HealthWatch(program.httpPort);
  const faults = new Faults({ seed, etcd, redises, registry, onStep });
  const curve: [number, number, number][] = [];
  const sample = () => {
    if (program.isRunning) curve.push([Math.round(seconds()), program.residentKb, program.descriptors]);
  };
  const over = new AbortController();
  scope.after(() => over.abort());
  const sampling = setInterval(sample, SAMPLE_EVERY_MS);
  scope.after(() => clearInterval(sampling));
  const watching = Promise.all([registry.watch(over.signal), health.run(over.signal)]);
  const chaos = async (forMs: number) => {
    const time = AbortSignal.timeout(Math.round(forMs));
    const end = AbortSignal.any([time, signal, over.signal]);
    const all = [faults.run(end), roles.run(end), edits.run(end), registrars.run(end)];
    await Promise.race([Promise.all(all), died]);
  };
  const primaryPort = await program.primaryPort();

  say(`${seconds().toFixed(1)} s warm-up`);
  clients.come(ports, seed);
  roles.come(primaryPort);
  await chaos(warmUpMs(ms));
  await Promise.all([clients.leave(), roles.leave()]);
  const warm = await program.quiet();
  say(`${seconds().toFixed(1)} s quiet: ${JSON.stringify(warm)}`);

  clients.comeAgain();
  roles.come(primaryPort);
  await chaos(ms);
  const stuck = await recovered(clients);
  const loop = await program.probe();
  await Promise.all([clients.leave(), roles.leave()]);
  const end = await program.quiet(warm.descriptors);
  say(`${seconds().toFixed(1)} s quiet: ${JSON.stringify(end)}`);
  clearInterval(sampling);

  over.abort();
  await watching;
  const exit = await program.stop();
  const { stays: logged, ...log } = judgeLog(program.attache.lines);
  const absences = absencesOf(registry.evidence, registry.outages, graceMs);
  const found = overstays([...clients.stays, ...logged], absences);
  return {
    seed,
    ms,
    faults: Object.fromEntries([faults, roles, edits, registrars].flatMap(({ counts }) => [...counts]).sort()),
    stepFailures: faults.failures,
    registryWrites: registry.writes,
    outages: registry.outages.length,
    clients: { tally: clients.report.tally, wrong: clients.report.wrong },
    stuck,
    roles: await roles.findings(),
    edits: edits.findings,
    registrars: registrars.findings,
    overstays: found.map(({ stay, absence, kind }) => {
      const late = Math.round(Math.min(stay.to, absence.to) - absence.dueAt);
      return `${stay.who} (${kind}): to ${stay.member} until ${late} ms after it had to be over`;
    }),
    absences: absences.filter(({ dueAt, to }) => dueAt < to).length,
    stays: { byClients: clients.stays.length, byLog: logged.length },
    log,
    warm,
    end,
    curve,
    loop: { maxMs: Math.max(warm.loopDelayMaxMs, loop.loopDelayMaxMs), p99Ms: loop.loopDelayP99Ms },
    health: { asked: health.asked, slowestMs: health.slowestMs, failures: health.failures },
    complaints: program.complaints,
    exit,
  };
}

/** Everything is loaded and has been used once: a tenth of the run, at least 5 s and at most 30 s. */
function warmUpMs(ms: number): number {
  return Math.min(30_000, Math.max(5_000, ms / 10));
}

/** @returns the client that has had no answer since everything is well again */
async function recovered(clients: Clients): Promise<string | undefined> {
  const since = Date.now();
  try {
    await eventually(() => clients.report.allAnsweredSince > since, 'every client is answered', RECOVERY_LIMIT_MS);
    // Their last words.
    await pause(0);
    return undefined;
  } catch {
    return clients.report.slowest;
  }
}
