import assert from 'node:assert/strict';
import { parseCommand } from '../../../src/config/command.ts';
import type { Config } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { ConfigError } from '../../../src/core/errors.ts';

export interface Input {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Files by path; any other path does not exist. */
  readonly files?: Readonly<Record<string, string>>;
}

/** What `attache <argv>` makes of its input, as main does it. */
export function configure({ argv = [], env = {}, files = {} }: Input): Config {
  const command = parseCommand(argv);
  assert.ok(command.kind === 'run' || command.kind === 'check', `a command with a configuration, not ${command.kind}`);
  const readFile = (path: string): string => {
    const text = Object.hasOwn(files, path) ? files[path] : undefined;
    if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
    return text;
  };
  return loadConfig({ flags: command.flags, env, readFile });
}

/** The whole report of a configuration that must be refused. */
export function reportOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    assert.ok(error instanceof ConfigError, `a ConfigError, not ${String(error)}`);
    assert.equal(error.code, 'config_invalid');
    return error.message;
  }
  return assert.fail('the configuration was accepted');
}
