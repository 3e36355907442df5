import type { EngineChoice } from '../../src/transport/choose-engine.ts';

/** `ENGINE` of the environment is how the whole suite is run with one engine; default: what attache takes by itself. */
export function engineChoice(): EngineChoice {
  const asked = process.env['ENGINE'] ?? 'auto';
  if (asked !== 'auto' && asked !== 'native' && asked !== 'typescript') throw new Error(`ENGINE=${asked}`);
  return asked;
}
