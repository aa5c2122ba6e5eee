/**
 * What is measured, as OpenTelemetry names it. Times are in seconds there, whatever the code measures in. `site` and `peer`
 * have no prefix, because a label of Prometheus is made of them as they are.
 * @see https://opentelemetry.io/docs/specs/semconv/general/metrics/
 */
import type { MetricName } from '../../ports/telemetry.ts';

export interface Instrument {
  readonly name: string;
  /** UCUM: `s`, `By`, `{key}`. */
  readonly unit: string;
  readonly description: string;
  /** `gauge`: the last value counts; `count`: values are added up; `histogram`: how many of them, their sum, and buckets. */
  readonly kind: 'gauge' | 'count' | 'histogram';
  /** What a value is multiplied with to be in that unit. */
  readonly factor: number;
  /** Upper bounds of the buckets, the last one open; none: count and sum alone. */
  readonly bounds?: readonly number[];
}

const ENDS: Readonly<Record<string, { readonly unit: string; readonly factor: number }>> = {
  Ms: { unit: 's', factor: 0.001 },
  Bytes: { unit: 'By', factor: 1 },
  Percent: { unit: '%', factor: 1 },
};

const DESCRIPTIONS: Readonly<Record<MetricName, readonly ['gauge' | 'count', string]>> = {
  KeysAtRisk: ['gauge', 'Keys with a write that the queue of the peer has not accepted'],
  OldestPendingMs: ['gauge', 'Age of the oldest of those writes'],
  SafeTimeAgeMs: ['gauge', 'Everything acknowledged longer ago than this is held at the peer'],
  HeardAgoMs: ['gauge', 'Age of the newest heartbeat of the peer here'],
  LagMs: ['gauge', 'From the writing of a heartbeat at the peer to its applying here'],
  Differences: ['gauge', 'Records that the latest comparison with the peer has found to differ'],
  SweptKeys: ['count', 'Keys that the sweeper has sent again'],
  ReactionsWaiting: ['gauge', 'Records with a reaction that is due'],
  OldestReactionMs: ['gauge', 'For how long the oldest of them has been due'],
  ReactionsParked: ['gauge', 'Records whose reactions are all parked'],
  ObjectsLacking: ['gauge', 'Contents that this site is to have and has not'],
  ObjectBytesLacking: ['gauge', 'Their bytes'],
  ObjectsOverdue: ['gauge', 'Those of them that should be here by now'],
  ConflictsLogged: ['count', 'Concurrent writes that lost'],
  ValuesNotIndexed: ['count', 'Values that no index could take'],
  DeadLetters: ['count', 'Messages that were dead-lettered with a reason'],
};

export const siteInstruments = Object.fromEntries(
  Object.entries(DESCRIPTIONS).map(([name, [kind, description]]) => [
    name,
    { ...instrument('tandem.', name, kind), description },
  ]),
) as Readonly<Record<MetricName, Instrument>>;

/** @see https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpserverrequestduration */
export const requestDuration: Instrument = {
  name: 'http.server.request.duration',
  unit: 's',
  description: 'Duration of requests at the functions',
  kind: 'histogram',
  factor: 0.001,
  bounds: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
};

/** Of handlers and reactions: a value of theirs is a measurement, whose number and sum say most. */
export function ownInstrument(name: string): Instrument {
  return instrument('tandem.own.', name, 'histogram');
}

/** `OldestPendingMs` → `tandem.oldest_pending`, in seconds. */
function instrument(prefix: string, name: string, kind: Instrument['kind']): Instrument {
  const [end = ''] = Object.keys(ENDS).filter((each) => name.endsWith(each));
  const stem = end === '' ? name : name.slice(0, -end.length);
  const snake = stem.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toLowerCase();
  const { unit, factor } = ENDS[end] ?? { unit: '', factor: 1 };
  return { name: prefix + snake, unit, factor, kind, description: 'Of a handler or a reaction' };
}
