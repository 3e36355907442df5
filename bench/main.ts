/**
 * `npm run bench`: attache and other proxies side by side on this machine. The arguments are in arguments.ts, what is
 * measured in docs/performance.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ArgumentError, helpText, parseArguments, type Settings } from './arguments.ts';
import { makeCertificates, type Certificates } from './certificates.ts';
import { describeMachine, type Machine } from './machine.ts';
import { all as allPeers } from './peers/all.ts';
import { attache, type AttachePaths } from './peers/attache.ts';
import type { Peer } from './peers/peer.ts';
import { Processes } from './processes.ts';
import { findProgram, howToInstall, programNames, programVersion, type ProgramName } from './programs.ts';
import { writeDocument } from './report/document.ts';
import { tables } from './report/table.ts';
import { writeResults } from './report/write.ts';
import type { Results } from './results.ts';
import { run } from './run.ts';
import { attacheVersion, nodeVersion } from './subject.ts';
import { workloads } from './workloads/all.ts';
import { type Workload } from './workloads/workload.ts';
import { usualWorkloadNames } from './names.ts';

/** sysexits.h: what was asked for cannot be used. 130: ended by Ctrl-C. */
const exitCodes = { done: 0, failed: 1, usage: 64, interrupted: 130 } as const;

const project = fileURLToPath(new URL('../../', import.meta.url));
const began = performance.now();

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const command = parseArguments(process.argv.slice(2), process.execPath);
    if (command.kind === 'help') {
      process.stdout.write(helpText());
      return exitCodes.done;
    }
    if (process.platform !== 'linux') throw new ArgumentError('the bench reads /proc: it runs on Linux only');
    return await measure(command.settings);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    process.stderr.write(`bench: ${error.message}\n`);
    return exitCodes.usage;
  }
}

async function measure(settings: Settings): Promise<number> {
  const node = await nodeVersion(settings.node);
  const paths = { node: settings.node, nodeVersion: node, main: join(project, 'dist/main.js'), set: settings.set };
  const chosen = choose(settings, paths);
  const over = new AbortController();
  const processes = new Processes();
  const folder = mkdtempSync(join(tmpdir(), 'attache-bench-'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => (over.signal.aborted ? process.exit(exitCodes.interrupted) : over.abort()));
  process.once('exit', () => {
    processes.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  const notes = new Set<string>();
  const subject = attache(paths);
  try {
    const about = await describe(settings, chosen, node);
    say(
      `attache ${about.attache.version} (${about.attache.commit}), node ${node}; ${chosen.peers.map(named).join(', ') || 'no peers'}`,
    );
    if (isBusy(about.machine)) notes.add(`the machine was busy when this began: load average ${about.machine.load}`);
    for (const note of notes) say(note);
    const outcome = await run({
      lab: {
        settings,
        processes,
        signal: over.signal,
        folder,
        openFiles: about.machine.openFiles,
        certificates: once(() =>
          makeCertificates(join(project, 'deploy/mtls/make-certificates'), join(folder, 'certificates')),
        ),
        note: (text) => notes.add(text),
      },
      workloads: chosen.workloads,
      peers: [subject, ...chosen.peers],
      rounds: (workload) => settings.rounds ?? workload.rounds,
      progress: say,
    });
    const results: Results = { ...about, ...outcome, notes: [...notes] };
    report(results, settings);
    const served = outcome.failures.every(({ proxy }) => proxy !== 'attache');
    return outcome.rows.length > 0 && served ? exitCodes.done : exitCodes.failed;
  } catch (error) {
    if (!over.signal.aborted) throw error;
    say('interrupted: nothing is written');
    return exitCodes.interrupted;
  } finally {
    await processes.stop();
  }
}

interface Chosen {
  readonly workloads: readonly Workload[];
  readonly peers: readonly Peer[];
}

/** What can be run of what was asked for; says what is missing, and how it is installed. */
function choose({ only, against }: Settings, paths: AttachePaths): Chosen {
  const missing = new Set<ProgramName>();
  const present = (name: ProgramName) => findProgram(name) !== undefined || !missing.add(name);
  const peers = against
    .map((name) => allPeers[name](project, paths))
    .filter(({ program }) => program === undefined || present(program));
  const chosen = only.map((name) => workloads[name]).filter(({ needs }) => needs.map(present).every(Boolean));
  if (missing.size > 0)
    say(`not on this machine, so left out: ${[...missing].join(', ')}; ${howToInstall([...missing])}`);
  if (chosen.length === 0) throw new ArgumentError('nothing can be measured without these');
  return { workloads: chosen, peers };
}

async function describe(
  settings: Settings,
  chosen: Chosen,
  node: string,
): Promise<Omit<Results, 'rows' | 'notes' | 'failures'>> {
  const { rounds, seconds, gigabytes, connections, set } = settings;
  const used = new Set([
    ...chosen.peers.map(({ program }) => program),
    ...chosen.workloads.flatMap(({ needs }) => needs),
  ]);
  const versions = await Promise.all(
    programNames
      .filter((name) => used.has(name))
      .map(async (name) => [name, (await programVersion(name)) ?? 'unknown'] as const),
  );
  return {
    date: new Date().toISOString(),
    attache: await attacheVersion(project),
    node,
    machine: describeMachine(),
    settings: {
      rounds: Object.fromEntries(chosen.workloads.map((workload) => [workload.name, rounds ?? workload.rounds])),
      ...{ seconds, gigabytes, connections, set },
    },
    programs: Object.fromEntries(versions),
    proxies: ['attache', ...chosen.peers.map(({ name }) => name)],
  };
}

function report(results: Results, settings: Settings): void {
  process.stdout.write(`\n${tables(results)}\n`);
  if (results.rows.length === 0) return;
  const whole = settings.only.join() === usualWorkloadNames.join();
  const folder = settings.out ?? join(project, 'bench/results');
  say(`written: ${writeResults(results, { folder, whole }).join(', ')} in ${settings.out ?? 'bench/results'}`);
  if (settings.out !== undefined || !whole) return;
  writeDocument(join(project, 'docs/performance.md'), folder);
  say('written: docs/performance.md');
}

function say(line: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(0).padStart(4);
  process.stdout.write(`${seconds} s  ${line}\n`);
}

/** Other work makes figures worse, and not by the same for all. The build that went before is not meant. */
function isBusy({ load, cores }: Machine): boolean {
  return load > cores / 2;
}

function named({ name }: Peer): string {
  return name;
}

function once(make: () => Promise<Certificates>): () => Promise<Certificates> {
  let made: Promise<Certificates> | undefined;
  return () => (made ??= make());
}
