import { measureIds, type MeasureId } from './measures.ts';
import type { ProxyName } from './names.ts';
import type { Row } from './results.ts';
import type { Reading } from './workloads/workload.ts';

/** Gathers readings into rows. */
export class Tally {
  readonly #cells = new Map<string, { measure: MeasureId; at: number | undefined; values: Map<ProxyName, number[]> }>();

  add(proxy: ProxyName, readings: readonly Reading[]): void {
    for (const { measure, at, value } of readings) {
      const key = `${measure} ${at ?? ''}`;
      const cell = this.#cells.get(key) ?? { measure, at, values: new Map<ProxyName, number[]>() };
      this.#cells.set(key, cell);
      cell.values.set(proxy, [...(cell.values.get(proxy) ?? []), value]);
    }
  }

  /** In the order of the measures, then of the connections. */
  rows(): readonly Row[] {
    return [...this.#cells.values()]
      .sort((a, b) => measureIds.indexOf(a.measure) - measureIds.indexOf(b.measure) || (a.at ?? 0) - (b.at ?? 0))
      .map(({ measure, at, values }) => ({
        measure,
        ...(at === undefined ? {} : { at }),
        values: Object.fromEntries(values),
      }));
  }
}
