import type cluster from 'node:cluster';
import { createRequire } from 'node:module';
import { errnoOf, messageOf } from '../core/errors.ts';
import type { EngineStatus } from '../core/status.ts';
import type { Engine } from './engine.ts';
import { loadAddon, type LoadedAddon } from './native/addon.ts';
import { createNativeEngine } from './native/engine.ts';
import { nodeEngine } from './node/engine.ts';

/** `ENGINE`. */
export type EngineChoice = 'auto' | 'native' | 'typescript';

/** What carries the services of a process. */
export interface ChosenEngine {
  readonly status: EngineStatus;
  readonly engine: Engine;
}

type Native = { readonly engine: Engine } | { readonly reason: string };

/** Loaded once and started once: all services of a process share one native engine. */
let loaded: LoadedAddon | undefined;
let native: Native | undefined;

/** The native engine; the TypeScript engine where that is asked for, or where the native one cannot be had, with the reason. */
export function chooseEngine(choice: EngineChoice): ChosenEngine {
  if (choice === 'typescript') return { status: { name: 'typescript' }, engine: nodeEngine() };
  if (choice === 'auto' && isClusterWorker())
    return { status: { name: 'typescript', reason: SHARED }, engine: nodeEngine() };
  native ??= begin();
  if ('engine' in native) return { status: { name: 'native' }, engine: native.engine };
  return { status: { name: 'typescript', reason: native.reason }, engine: nodeEngine() };
}

/** What this installation has, as `attache version` says it. No engine is begun. */
export function engineStatus(): EngineStatus {
  const found = addon();
  return 'reason' in found ? { name: 'typescript', reason: found.reason } : { name: 'native' };
}

/** From now on a fault of the process says on stderr how to go on without the native engine. For a program of our own. */
export function tellOfFaults(): void {
  if (loaded !== undefined && 'addon' in loaded) loaded.addon.faults();
}

const SHARED = 'workers of node:cluster share their listeners, which takes the TypeScript engine';

function isClusterWorker(): boolean {
  // Nothing is loaded for it in a process that has no parent to talk to.
  if (process.send === undefined) return false;
  const { isWorker } = createRequire(import.meta.url)('node:cluster') as typeof cluster;
  return isWorker;
}

function begin(): Native {
  const found = addon();
  if ('reason' in found) return found;
  try {
    return { engine: createNativeEngine(found.addon) };
  } catch (error) {
    if (errnoOf(error) === 'ENGINE_IN_USE') return { reason: 'another copy of attache in this process has it' };
    return { reason: messageOf(error) };
  }
}

function addon(): LoadedAddon {
  loaded ??= loadAddon();
  return loaded;
}
