import { errnoOf, messageOf } from '../core/errors.ts';
import type { EngineStatus } from '../core/status.ts';
import type { Engine } from './engine.ts';
import { loadAddon, type LoadedAddon } from './native/addon.ts';
import { createNativeEngine } from './native/engine.ts';
import { nodeEngine } from './node/engine.ts';
import type { DirectIo } from './node/listener.ts';

/** `ENGINE`. */
export type EngineChoice = 'auto' | 'native' | 'typescript';

export interface EngineOptions {
  readonly engine: EngineChoice;
  readonly directIo: DirectIo;
}

/** What carries the services of a process. */
export interface ChosenEngine {
  readonly status: EngineStatus;
  readonly engine: Engine;
}

type Native = { readonly engine: Engine } | { readonly reason: string };

/** What `auto` is where both engines work. */
const AUTO: Exclude<EngineChoice, 'auto'> = 'typescript';

/** Loaded once and started once: all services of a process share one native engine. */
let loaded: LoadedAddon | undefined;
let native: Native | undefined;

/** The engine that is asked for; where that is the native one and cannot be had, the TypeScript engine and the reason. */
export function chooseEngine({ engine, directIo }: EngineOptions): ChosenEngine {
  const wanted = engine === 'auto' ? AUTO : engine;
  if (wanted === 'typescript') return { status: { name: 'typescript' }, engine: nodeEngine(directIo) };
  native ??= begin();
  if ('engine' in native) return { status: { name: 'native' }, engine: native.engine };
  return { status: { name: 'typescript', reason: native.reason }, engine: nodeEngine(directIo) };
}

/** What this installation has, as `attache version` says it. No engine is begun. */
export function engineStatus(): EngineStatus {
  const found = addon();
  return 'reason' in found ? { name: 'typescript', reason: found.reason } : { name: 'native' };
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
