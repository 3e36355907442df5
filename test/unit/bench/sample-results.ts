import type { Results } from '../../../bench/results.ts';

/** Results of a run, with what a test is about in place of the rest. */
export function sampleResults(changes: Partial<Results> = {}): Results {
  return {
    date: '2030-01-02T03:04:05.000Z',
    attache: { version: '1.2.3', commit: 'abcdef0' },
    node: '24.1.0',
    machine: { cpu: 'A CPU', cores: 2, memoryGb: 8, kernel: '6.1.0', system: 'Debian', openFiles: 20_000, load: 0.1 },
    settings: { rounds: { small: 3 }, seconds: 1, gigabytes: 1, connections: 5_000, set: {} },
    programs: { haproxy: '2.6' },
    proxies: ['attache', 'haproxy', 'nginx'],
    rows: [
      { measure: 'small-50', values: { attache: [12, 13, 14], haproxy: [10, 10, 10], nginx: [9, 8, 10] } },
      { measure: 'small-50-rate', values: { attache: [12_345], haproxy: [54_321] } },
      { measure: 'scale-cpu', at: 1, values: { attache: [20], haproxy: [10] } },
      { measure: 'scale-cpu', at: 10_000, values: { attache: [25], haproxy: [12] } },
    ],
    notes: [],
    failures: [],
    ...changes,
  };
}

export const hostileText = '<script>alert("1")</script> | a\nb ` & \u0000 ]]> \u202e';
