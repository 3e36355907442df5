import type { CandidateReport } from './status-report.ts';

/** What the registry says of a candidate beside its address, as `weight 3, priority 10, zone eu-1a`; '' when all is as usual. */
export function detailsText({ weight, priority, zone }: Pick<CandidateReport, 'weight' | 'priority' | 'zone'>): string {
  const said = [
    ...(weight === undefined ? [] : [`weight ${weight}`]),
    ...(priority === undefined ? [] : [`priority ${priority}`]),
    ...(zone === undefined ? [] : [`zone ${zone}`]),
  ];
  return said.join(', ');
}
