import { metricTable, type MetricEntry } from '../../src/admin/metric-table.ts';
import { code, markdownTable } from './markdown.ts';

/** Every metric of ours, from the table that they are exported by. */
export function metricsReference(): string {
  const rows = Object.entries<MetricEntry>(metricTable).map(([name, { type, labels, help }]) => [
    code(name),
    type,
    labels.map(code).join(', ') || '-',
    help,
  ]);
  return markdownTable(['metric', 'type', 'labels', 'meaning'], rows);
}
