import type { Balance } from '../config.ts';
import type { Report } from '../report.ts';
import type { Settings } from '../gather/setting.ts';

/** One level of settings: those of a service, or the defaults. */
export interface BalanceLevel {
  readonly settings: Settings;
  readonly lb: boolean;
  readonly balance: Balance;
}

/**
 * The policy that `LB` and `BALANCE` of one level set, undefined when neither is set there. They are two spellings of one
 * choice, so a service's own `BALANCE` overrides a default `LB`, while a contradiction within a level is a fault.
 */
export function balanceAt(level: BalanceLevel, report: Report): Balance | undefined {
  const { settings, lb, balance } = level;
  if (settings.isRefused('LB') || settings.isRefused('BALANCE')) return undefined;
  const byLb = settings.has('LB') ? (lb ? 'round-robin' : 'ordered') : undefined;
  if (!settings.has('BALANCE')) return byLb;
  if (byLb !== undefined && byLb !== balance) {
    const because = `${settings.origin('LB')} is ${String(lb)}`;
    report.fault(settings.origin('BALANCE'), `expected ${byLb} as ${because}, got "${balance}"`);
  }
  return balance;
}
