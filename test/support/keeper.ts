import type { TestContext } from 'node:test';
import { MaterialReloader, type MaterialReloaderOptions } from '../../src/identity/material-reloader.ts';
import type { MaterialReport, TlsMaterial } from '../../src/identity/material.ts';
import { server } from './material.ts';

export interface KeptMaterial {
  readonly keeper: MaterialReloader;
  readonly reports: readonly MaterialReport[];
}

/** The sets that were taken into use, oldest first. */
export function loadedSets(reports: readonly MaterialReport[]): readonly TlsMaterial[] {
  return reports.flatMap((report) => (report.kind === 'loaded' ? [report.material] : []));
}

/** A keeper in the server role that looks only when asked, waits no time between looks at the start, and ends with the test. */
export function keep(
  t: TestContext,
  options: Pick<MaterialReloaderOptions, 'source'> & Partial<MaterialReloaderOptions>,
): KeptMaterial {
  const reports: MaterialReport[] = [];
  const keeper = new MaterialReloader({
    purpose: server,
    reloadMs: 0,
    backoff: { next: () => 1, reset: () => undefined },
    report: (report) => void reports.push(report),
    ...options,
  });
  t.after(() => keeper.stop());
  return { keeper, reports };
}
