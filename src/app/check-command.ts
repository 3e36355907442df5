import type { Command } from '../config/command.ts';
import type { Config } from '../config/config.ts';
import { describeConfig, describeConfigJson } from '../config/describe.ts';
import { requirePackages } from '../config/missing-packages.ts';
import { readConfig } from '../config/read-config.ts';
import { messageOf } from '../core/errors.ts';
import { print } from '../logging/print.ts';
import { checkFiles } from './check-files.ts';
import type { KeyParts } from './key-once.ts';

type CheckCommand = Extract<Command, { readonly kind: 'check' }>;

/** What was asked, and came out. */
interface Asked {
  readonly ok: boolean;
  readonly text: string;
  /** For `--json`. */
  readonly value: object;
}

/**
 * `attache check`: what is said is judged, what is on disk is opened; with `--online` what is named is asked; with `--against`
 * the services are compared with those of an attache that runs. Whether all that was asked has answered, and nothing would change;
 * true when nothing was asked.
 *
 * @throws ConfigError when the configuration, or the command line, cannot be used
 */
export async function checkCommand(command: CheckCommand, env: NodeJS.ProcessEnv): Promise<boolean> {
  const { flags, files, json, online, against } = command;
  const compare = against === undefined ? undefined : await comparisonWith(against);
  const config = await readConfig({ flags, env });
  requirePackages(config);
  const { left } = files ? await checkFiles(config) : { left: [] };
  // What is in S3 is read when it is asked.
  const warnings = online ? config.warnings : [...config.warnings, ...left];
  for (const warning of warnings) await print(2, `warning: ${warning}\n`);
  // What takes time comes behind what is there at once.
  if (!json) await print(1, `${describeConfig(config)}\n`);
  const origins = { flags, env };
  const asked: Asked[] = [];
  for (const ask of [online ? askOnline : undefined, compare]) {
    if (ask === undefined) continue;
    const one = await ask(config, origins);
    asked.push(one);
    if (!json && one.text !== '') await print(1, `\n${one.text}\n`);
  }
  if (json) {
    const more = asked.reduce<object>((all, { value }) => ({ ...all, ...value }), {});
    await print(1, `${describeConfigJson(config, more)}\n`);
  }
  return asked.every(({ ok }) => ok);
}

async function askOnline(config: Config, origins: KeyParts['origins']): Promise<Asked> {
  const { checkOnline, describeFindings } = await import('./check-online.ts');
  const findings = await checkOnline(config, origins);
  return { ok: findings.every(({ ok }) => ok), text: describeFindings(findings), value: { online: findings } };
}

/** @throws ConfigError */
async function comparisonWith(text: string): Promise<(config: Config, origins: KeyParts['origins']) => Promise<Asked>> {
  const { readAgainst, checkAgainst, describeAgainst, isSame } = await import('./check-against.ts');
  const address = readAgainst(text);
  return async (config, origins) => {
    try {
      const found = await checkAgainst(await wantedServices(config, origins), address);
      return { ok: isSame(found), text: describeAgainst(found, address), value: { against: found } };
    } catch (error) {
      await print(2, `attache: ${messageOf(error)}\n`);
      return { ok: false, text: '', value: {} };
    }
  };
}

/** With `SERVICES_KEY` those of the key. @throws Error with a line for people when they cannot be had */
async function wantedServices(config: Config, origins: KeyParts['origins']): Promise<Config['services']> {
  if (config.servicesKey === undefined) return config.services;
  const [{ listOnce }, { lookupBy }, { systemResolver }] = await Promise.all([
    import('./key-once.ts'),
    import('../names/lookup.ts'),
    import('../names/system-resolver.ts'),
  ]);
  const resolver = systemResolver();
  try {
    const list = await listOnce(config, { lookup: lookupBy(resolver), origins });
    if (list?.ok !== true) throw new Error([list?.what, ...(list?.says ?? [])].join(': '));
    return list.services;
  } finally {
    resolver.close();
  }
}
