/**
 * What one process has measured since it last sent something, added up.
 *
 * Invariant: it holds at most `seriesMax` sets of a name and its attributes, and one more for each name: what comes then is
 * counted there, under the attribute that the specification has for it.
 * @see https://opentelemetry.io/docs/specs/otel/metrics/sdk/#overflow-attribute
 */
import { meterBounds } from '../../bounds.ts';
import type { Attributes } from '../../ports/tracing.ts';
import type { Instrument } from './instruments.ts';

export interface Series {
  readonly instrument: Instrument;
  readonly attributes: Attributes;
  /** Epoch milliseconds of the last value. */
  atMs: number;
  /** The last value of a gauge, the sum of all others. */
  value: number;
  count: number;
  /** One more than there are bounds; not added up. */
  readonly buckets: number[];
}

/** Of one stretch of time, from which on all its counts are. */
export interface Measured {
  /** Epoch milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  readonly series: readonly Series[];
}

const OVERFLOW: Attributes = { 'otel.metric.overflow': true };

export class Meter {
  readonly #now: () => number;
  #startMs: number;
  #series = new Map<string, Series>();

  /** @param now Epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#startMs = now();
  }

  record(instrument: Instrument, attributes: Attributes, value: number): void {
    const series = this.#seriesOf(instrument, attributes);
    const scaled = value * instrument.factor;
    series.value = instrument.kind === 'gauge' ? scaled : series.value + scaled;
    series.count += 1;
    series.atMs = this.#now();
    const at = instrument.bounds?.findIndex((bound) => scaled <= bound) ?? 0;
    const bucket = at < 0 ? series.buckets.length - 1 : at;
    series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1;
  }

  /** Hands over what there is, and begins anew; undefined: there is nothing. */
  take(): Measured | undefined {
    if (this.#series.size === 0) return undefined;
    const measured = { startMs: this.#startMs, endMs: this.#now(), series: [...this.#series.values()] };
    this.#series = new Map();
    this.#startMs = measured.endMs;
    return measured;
  }

  /** What was not taken goes on with what came meanwhile. */
  putBack({ startMs, series }: Measured): void {
    this.#startMs = startMs;
    for (const before of series) {
      const now = this.#seriesOf(before.instrument, before.attributes);
      const isUnused = now.count === 0;
      if (before.instrument.kind !== 'gauge') now.value += before.value;
      else if (isUnused) now.value = before.value;
      if (isUnused) now.atMs = before.atMs;
      now.count += before.count;
      before.buckets.forEach((count, i) => (now.buckets[i] = (now.buckets[i] ?? 0) + count));
    }
  }

  #seriesOf(instrument: Instrument, wanted: Attributes): Series {
    const isKnown = this.#series.has(keyOf(instrument, wanted));
    const attributes = isKnown || this.#series.size < meterBounds.seriesMax ? wanted : OVERFLOW;
    const key = keyOf(instrument, attributes);
    const found = this.#series.get(key);
    if (found !== undefined) return found;
    const buckets = Array.from({ length: (instrument.bounds?.length ?? 0) + 1 }, () => 0);
    const made = { instrument, attributes, atMs: 0, value: 0, count: 0, buckets };
    this.#series.set(key, made);
    return made;
  }
}

function keyOf({ name }: Instrument, attributes: Attributes): string {
  return JSON.stringify([name, Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
