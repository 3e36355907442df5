import { readFairness } from '../load/fairness.ts';
import type { Workload } from './workload.ts';

const counts = [1, 20, 300] as const;

/** Small requests through one service beside bulk streams through another. */
export const fairness: Workload = {
  name: 'fairness',
  needs: [],
  rounds: 2,
  open: (peer, lab) =>
    Promise.resolve({
      read: async () => {
        const readings = [];
        for (const streams of counts) {
          const { p99Ms, jain, moved } = await readFairness(lab, { peer, streams });
          readings.push({ measure: `fairness-${streams}`, value: p99Ms } as const);
          if (streams !== 1) readings.push({ measure: `fairness-${streams}-jain`, value: jain } as const);
          if (streams === 300) readings.push({ measure: `fairness-${streams}-moved`, value: moved } as const);
        }
        return readings;
      },
    }),
};
