import type { LiveConfiguration, LiveState } from '../wire.ts';

export interface Trouble {
  readonly text: string;
  readonly tone: 'warn' | 'bad';
  /** The place of the service in the table that it leads to; undefined: it is the process's. */
  readonly place: number | undefined;
}

/** What is wrong, worst first: the process, then each service by its name. Nothing while all is well. */
export function troublesOf(state: LiveState): readonly Trouble[] {
  const { reasons, configuration, services } = state;
  return [
    ...reasons.map((text): Trouble => ({ text: `not ready: ${text}`, tone: 'bad', place: undefined })),
    ...configurationTroubles(configuration),
    ...services.flatMap(({ name, ready, health, healthReason, reasons: own, registrations }, place) => {
      const why = [...(healthReason === undefined ? [] : [`${health}: ${healthReason}`]), ...(ready ? [] : own)];
      const tone = ready && health === 'degraded' ? ('warn' as const) : ('bad' as const);
      return [
        ...(why.length === 0 ? [] : [{ place, text: `${name} ${why.join('; ')}`, tone }]),
        ...registrations
          .filter(({ stands }) => stands === 'trouble')
          .map(({ text }) => ({ place, text: `${name} ${text}`, tone: 'warn' as const })),
      ];
    }),
  ];
}

function configurationTroubles(configuration: LiveConfiguration | undefined): readonly Trouble[] {
  if (configuration === undefined) return [];
  const { trouble, rejected } = configuration;
  const lines: Trouble[] = trouble === undefined ? [] : [{ text: trouble, tone: 'warn', place: undefined }];
  if (rejected === undefined) return lines;
  const { source, faults, faultCount } = rejected;
  const more = faultCount > faults.length ? [`and ${faultCount - faults.length} more`] : [];
  const text = `${source}: its list of services was refused: ${[...faults, ...more].join('; ')}`;
  return [...lines, { text, tone: 'bad', place: undefined }];
}
