import { formatAddress } from '../../core/address.ts';
import type { Net } from '../config.ts';
import type { ServiceDraft } from '../gather/draft.ts';
import { expected, oneOf } from '../table/kind.ts';
import { familiesOf } from './listeners.ts';
import type { Report } from '../report.ts';
import type { ServiceValues } from '../table/service-settings.ts';
import type { Setting } from '../gather/setting.ts';

export interface ServiceCheck {
  readonly draft: ServiceDraft;
  readonly values: ServiceValues;
  /** Where `NET` was set, the service's own or the default; undefined when nobody did. */
  readonly net: Setting | undefined;
}

/** Checks what a service's settings say together. What is missing is named as it would be spelt there. */
export function checkService({ draft, values, net }: ServiceCheck, report: Report): void {
  const { settings, spell, origin } = draft;
  if (!settings.has('SRC') && !settings.has('REGISTER')) {
    report.fault(spell('SRC'), 'expected an address such as :6379, got none');
  }
  const [dst, srv] = [settings.has('DST'), settings.has('SRV')];
  if (dst && srv) {
    const [first, second] = [settings.origin('DST'), settings.origin('SRV')];
    // What is wrong has its own fault; what it was meant to be is not known.
    const isOneRefused = settings.isRefused('DST') || settings.isRefused('SRV');
    if (!isOneRefused) report.fault(first, `expected ${first} or ${second}, got both`);
  } else if (!dst && !srv) {
    const names = ['DST', 'SRV'].map((name) => spell(name).replace(`${origin}.`, ''));
    report.fault(origin, `expected ${oneOf(names)}, got neither`);
  }
  if (net !== undefined) checkFamily(draft, values, { origin: net.origin, net: values.NET, report });
  warnOfUnevenCluster(draft, values, report);
}

interface FamilyCheck {
  readonly origin: string;
  readonly net: Net;
  readonly report: Report;
}

/** Only a family that somebody asked for contradicts an address: the default gives way to `[::1]:6379`. */
function checkFamily(draft: ServiceDraft, values: ServiceValues, { origin, net, report }: FamilyCheck): void {
  if (net === 'tcp') return;
  const [wanted, family] = net === 'tcp4' ? (['an IPv4', 4] as const) : (['an IPv6', 6] as const);
  for (const address of values.SRC ?? []) {
    if (address.kind === 'unix' || familiesOf(address, net).includes(family)) continue;
    const fault = expected(`${wanted} address as ${origin} is ${net}`, formatAddress(address));
    report.fault(draft.settings.origin('SRC'), fault);
  }
}

function warnOfUnevenCluster(draft: ServiceDraft, values: ServiceValues, report: Report): void {
  const [listeners, candidates] = [values.SRC?.length ?? 0, values.DST?.length ?? 0];
  if (listeners < 2 || candidates === 0 || listeners === candidates) return;
  const dst = draft.settings.origin('DST');
  report.warn(
    draft.settings.origin('SRC'),
    listeners > candidates
      ? `${listeners} listeners, but ${candidates} in ${dst}: listeners beyond the last candidate do not listen`
      : `${listeners} listeners, but ${candidates} in ${dst}: candidates beyond the last listener are never used`,
  );
}
