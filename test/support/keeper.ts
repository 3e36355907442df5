import type { TestContext } from 'node:test';
import { MaterialKeeper, type MaterialKeeperOptions } from '../../src/identity/keeper.ts';
import type { MaterialReport } from '../../src/identity/material.ts';
import { server } from './material.ts';

export interface KeptMaterial {
  readonly keeper: MaterialKeeper;
  readonly reports: readonly MaterialReport[];
}

/** A keeper in the server role that looks only when asked, waits no time between looks at the start, and ends with the test. */
export function keep(
  t: TestContext,
  options: Pick<MaterialKeeperOptions, 'source'> & Partial<MaterialKeeperOptions>,
): KeptMaterial {
  const reports: MaterialReport[] = [];
  const keeper = new MaterialKeeper({
    purpose: server,
    reloadMs: 0,
    backoff: { next: () => 1, reset: () => undefined },
    report: (report) => void reports.push(report),
    ...options,
  });
  t.after(() => keeper.stop());
  return { keeper, reports };
}
