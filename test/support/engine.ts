import type { Engine } from '../../src/transport/engine.ts';
import { createNativeEngine } from '../../src/transport/native/engine.ts';
import { nodeEngine } from '../../src/transport/node/engine.ts';
import { engineChoice } from './engine-choice.ts';
import { nativeAddon } from './native-addon.ts';

let native: Engine | undefined;

/** The one of this process. */
export function nativeEngine(): Engine {
  native ??= createNativeEngine(nativeAddon());
  return native;
}

/** `ENGINE=typescript` of the environment is how suites are run on the TypeScript engine. */
export function testEngine(): Engine {
  return engineChoice() === 'typescript' ? nodeEngine() : nativeEngine();
}

/** The engines that bytes are tried on. */
export const ENGINES = { typescript: nodeEngine, native: nativeEngine } as const;
