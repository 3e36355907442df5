import type { Engine } from '../../src/transport/engine.ts';
import { createNativeEngine } from '../../src/transport/native/engine.ts';
import { nodeEngine } from '../../src/transport/node/engine.ts';
import { nativeAddon } from './native-addon.ts';

let native: Engine | undefined;

/** The one of this process. */
export function nativeEngine(): Engine {
  native ??= createNativeEngine(nativeAddon());
  return native;
}

/** `ENGINE=native` of the environment is how suites are run on the native engine. */
export function testEngine(): Engine {
  return process.env['ENGINE'] === 'native' ? nativeEngine() : nodeEngine(directIo());
}

/** `DIRECT_IO` of the environment is how the whole suite is run with it forced on or off. */
export function directIo(): 'auto' | 'on' | 'off' {
  const asked = process.env['DIRECT_IO'] ?? 'auto';
  if (asked !== 'auto' && asked !== 'on' && asked !== 'off') throw new Error(`DIRECT_IO=${asked}`);
  return asked;
}

/** The engines that bytes are tried on: the TypeScript one with and without direct I/O, and the native one. */
export const ENGINES = {
  'direct I/O on': () => nodeEngine('on'),
  'direct I/O off': () => nodeEngine('off'),
  native: nativeEngine,
} as const;
