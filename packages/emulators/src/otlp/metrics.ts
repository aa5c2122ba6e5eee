/**
 * Metrics of this machine, in memory: differences are added up, of gauges the last value is kept.
 *
 * Invariants: no more than `SERIES_MAX` sets of a name and its labels are kept; points of further ones are dropped and counted.
 * A gauge that was silent for `GAUGE_KEPT_MS` is not shown: whoever measured it may be gone. Counts stay, as Prometheus
 * expects of them.
 */
import type { MetricPoint } from './metrics-request.ts';
import { type Family, type Labels, labelsOf, prometheusName, type Sample } from './prometheus-text.ts';

export const SERIES_MAX = 5_000;
export const GAUGE_KEPT_MS = 5 * 60_000;

interface Series {
  readonly labels: Labels;
  value: number;
  count: number;
  bounds: readonly number[];
  /** Not added up; one more than there are bounds. */
  buckets: number[];
  heardMs: number;
}

interface Kept {
  readonly kind: MetricPoint['kind'];
  readonly type: Family['type'];
  readonly help: string;
  readonly series: Map<string, Series>;
}

const TYPES = { gauge: 'gauge', upDown: 'gauge', counter: 'counter', histogram: 'histogram' } as const;

export class Metrics {
  readonly #kept = new Map<string, Kept>();
  readonly #now: () => number;
  #series = 0;
  #dropped = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  add(point: MetricPoint): void {
    const type = TYPES[point.kind];
    const name = prometheusName(point.name, point.unit, type);
    const kept = this.#kept.get(name) ?? {
      kind: point.kind,
      type,
      help: point.description,
      series: new Map<string, Series>(),
    };
    const series = kept.kind === point.kind ? this.#seriesOf(kept, labelsOf(point.attributes)) : undefined;
    if (series === undefined || !add(series, point)) {
      this.#dropped += 1;
      return;
    }
    series.heardMs = this.#now();
    this.#kept.set(name, kept);
  }

  families(): readonly Family[] {
    const sinceMs = this.#now() - GAUGE_KEPT_MS;
    const families = [...this.#kept].flatMap(([name, { kind, type, help, series }]): Family[] => {
      const shown = [...series.values()].filter(({ heardMs }) => kind !== 'gauge' || heardMs >= sinceMs);
      const samples = shown.flatMap((each): Sample[] => (type === 'histogram' ? bucketsOf(each) : [each]));
      return samples.length === 0 ? [] : [{ name, help, type, samples }];
    });
    return [...families, this.#own()];
  }

  #own(): Family {
    return {
      name: 'tandem_collector_dropped_points_total',
      help: 'Points that there was no room for, or that did not fit what was sent before',
      type: 'counter',
      samples: [{ labels: {}, value: this.#dropped }],
    };
  }

  #seriesOf({ series: kept }: Kept, labels: Labels): Series | undefined {
    const key = JSON.stringify(labels);
    const found = kept.get(key);
    if (found !== undefined || this.#series >= SERIES_MAX) return found;
    const made = { labels, value: 0, count: 0, bounds: [], buckets: [], heardMs: 0 };
    kept.set(key, made);
    this.#series += 1;
    return made;
  }
}

/** False: its buckets are others than those before. */
function add(series: Series, { kind, value, count, bounds, buckets }: MetricPoint): boolean {
  if (series.count === 0) {
    series.bounds = bounds;
    series.buckets = bounds.map(() => 0);
  } else if (bounds.length !== series.bounds.length || bounds.some((bound, i) => bound !== series.bounds[i]))
    return false;
  series.value = kind === 'gauge' ? value : series.value + value;
  series.count += count;
  buckets.forEach((each, i) => (series.buckets[i] = (series.buckets[i] ?? 0) + each));
  return true;
}

/** A bucket holds what those below it hold, too. */
function bucketsOf({ labels, value, count, bounds, buckets }: Series): Sample[] {
  let below = 0;
  const finite = bounds.map((bound, i): Sample => {
    below += buckets[i] ?? 0;
    return { suffix: '_bucket', labels: { ...labels, le: String(bound) }, value: below };
  });
  return [
    ...finite,
    { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
    { suffix: '_sum', labels, value },
    { suffix: '_count', labels, value: count },
  ];
}
