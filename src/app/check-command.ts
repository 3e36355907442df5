import type { Command } from '../config/command.ts';
import { describeConfig, describeConfigJson } from '../config/describe.ts';
import { requirePackages } from '../config/missing-packages.ts';
import { readConfig } from '../config/read-config.ts';
import { print } from '../logging/print.ts';
import { checkFiles } from './check-files.ts';

/**
 * `attache check`: what is said is judged, what is on disk is opened, and with `--online` what is named is asked. Whether all
 * that was asked has answered; true when nothing was.
 *
 * @throws ConfigError when the configuration cannot be used
 */
export async function checkCommand(
  { flags, files, json, online }: Extract<Command, { readonly kind: 'check' }>,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  const config = await readConfig({ flags, env });
  requirePackages(config);
  const { left } = files ? await checkFiles(config) : { left: [] };
  // What is in S3 is read when it is asked.
  const warnings = online ? config.warnings : [...config.warnings, ...left];
  for (const warning of warnings) await print(2, `warning: ${warning}\n`);
  if (!online) {
    await print(1, `${json ? describeConfigJson(config) : describeConfig(config)}\n`);
    return true;
  }
  if (!json) await print(1, `${describeConfig(config)}\n\n`);
  const { checkOnline, describeFindings } = await import('./check-online.ts');
  const findings = await checkOnline(config, { flags, env });
  await print(1, `${json ? describeConfigJson(config, { online: findings }) : describeFindings(findings)}\n`);
  return findings.every(({ ok }) => ok);
}
