import { flagOf } from '../table/settings.ts';

/** A variable as it is spelt next to `origin`: as a flag beside a flag, otherwise as a variable. */
export function spellBeside(origin: string, variable: string): string {
  return origin.startsWith('--') ? `--${flagOf(variable)}` : variable;
}
