import { Histogram, type HistogramConfiguration } from 'prom-client';
import type { Buckets } from './buckets.ts';

type Labels = Readonly<Record<string, string>>;
type Values = Awaited<ReturnType<Histogram['get']>>['values'];

/**
 * A histogram whose counts are kept elsewhere: observing through the library costs a check and a hash of its labels each
 * time, which is too much for every connection.
 */
export class CountedHistogram extends Histogram {
  readonly #buckets = new Map<Labels, Buckets>();
  /** Knows how the library describes a histogram. */
  readonly #empty: Histogram;

  constructor(configuration: HistogramConfiguration<string>) {
    super(configuration);
    this.#empty = new Histogram({ ...configuration, registers: [] });
  }

  /** Replaced whole; `reset` forgets all. */
  put(labels: Labels, buckets: Buckets): void {
    this.#buckets.set(labels, buckets);
  }

  override reset(): void {
    // The library's constructor calls this before the field is there.
    if (#buckets in this) this.#buckets.clear();
  }

  override async get(): ReturnType<Histogram['get']> {
    const base = await this.#empty.get();
    const values = [...this.#buckets].flatMap(([labels, buckets]) => valuesOf(base.name, labels, buckets));
    return { ...base, values };
  }

  /** What a registry asks for where there is one, in place of `get`. */
  getForPromString(): ReturnType<Histogram['get']> {
    return this.get();
  }
}

function valuesOf(name: string, labels: Labels, { bounds, counts, sum, count }: Buckets): Values {
  let below = 0;
  const buckets = bounds.map((le, place) => {
    below += counts[place] ?? 0;
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
