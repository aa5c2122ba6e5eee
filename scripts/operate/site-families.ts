/**
 * What sites say of themselves, for Prometheus. What they measure themselves, too, has the name here that it has at the
 * collector, because both go by `instruments.ts`. Pure.
 */
import {
  type Family,
  type Labels,
  prometheusName,
  type Sample,
} from '@tandem-clouds/emulators/otlp/prometheus-text';
import type { SiteReport } from '@tandem-clouds/operator/query-sites';
import { type Instrument, siteInstruments } from '../../src/shared/adapters/metering/instruments.ts';
import type { QueueDepth } from '../../src/shared/ports/dead-letter-box.ts';

const { KeysAtRisk, OldestPendingMs, SafeTimeAgeMs, HeardAgoMs } = siteInstruments;
const { ReactionsWaiting, ReactionsParked, ObjectsLacking, ObjectBytesLacking, ObjectsOverdue } =
  siteInstruments;

const count = (name: string, description: string): Instrument => ({
  name,
  description,
  unit: '',
  kind: 'gauge',
  factor: 1,
});
const UP = count('tandem.up', 'Whether the site has answered');
const OPERATOR_UP = count('tandem.operator_up', 'Whether it has answered what only operators may ask');
const PAUSED = count('tandem.paused', 'Whether an operator has stopped what is sent to the peer');
const REFUSED = count('tandem.refused_keys', 'Keys at risk that the queue of the peer refuses for good');
const QUEUED = count('tandem.queue_messages', 'Messages in the queues between the sites');
const DEAD = count('tandem.dead_letter_messages', 'Messages that wait for a person');

type Measured = readonly [Instrument, Labels, number | null | undefined];

/** @param nameOf What a site is called that does not answer. */
export function familiesOf(
  reports: readonly SiteReport[],
  nameOf: (report: SiteReport) => string,
): readonly Family[] {
  const byInstrument = new Map<Instrument, Sample[]>();
  for (const report of reports)
    for (const [instrument, labels, value] of measuredOf(report, nameOf(report))) {
      // What nobody knows is left out: 0 would say that all is well.
      if (value === undefined || value === null) continue;
      const samples = byInstrument.get(instrument) ?? [];
      samples.push({ labels, value: value * instrument.factor });
      byInstrument.set(instrument, samples);
    }
  return [...byInstrument].map(([{ name, unit, description }, samples]) => ({
    name: prometheusName(name, unit, 'gauge'),
    help: description,
    type: 'gauge',
    samples,
  }));
}

function measuredOf(report: SiteReport, site: string): readonly Measured[] {
  const { replication, queues, waiting, parked, problem, queueProblem } = report;
  const isAsked = queues !== undefined || queueProblem !== undefined;
  return [
    [UP, { site }, problem === undefined ? 1 : 0],
    [OPERATOR_UP, { site }, isAsked ? Number(queueProblem === undefined) : undefined],
    ...directionsOf(replication, site),
    ...queueOf(queues?.out, { site, queue: 'out' }),
    ...queueOf(queues?.in, { site, queue: 'in' }),
    [DEAD, { site }, queues?.dead.messages],
    [ReactionsWaiting, { site }, waiting?.keys],
    [ReactionsParked, { site }, parked?.keys],
    [ObjectsLacking, { site }, replication?.content?.lacking.objects],
    [ObjectBytesLacking, { site }, replication?.content?.lacking.bytes],
    [ObjectsOverdue, { site }, replication?.content?.lacking.overdue],
  ];
}

function queueOf(depth: QueueDepth | undefined, labels: Labels): readonly Measured[] {
  return [[QUEUED, labels, depth?.messages]];
}

function directionsOf(replication: SiteReport['replication'], site: string): readonly Measured[] {
  if (replication === undefined) return [];
  const { now, peers, inbound } = replication;
  return [
    ...peers.flatMap(({ site: peer, exposure, oldestPendingMs, safeTime, paused }): Measured[] => [
      [KeysAtRisk, { site, peer }, exposure.keys],
      [REFUSED, { site, peer }, exposure.refused ?? 0],
      [OldestPendingMs, { site, peer }, oldestPendingMs],
      [SafeTimeAgeMs, { site, peer }, Date.parse(now) - Date.parse(safeTime)],
      [PAUSED, { site, peer }, Number(paused)],
    ]),
    ...inbound.map(({ site: peer, heardMsAgo }): Measured => [HeardAgoMs, { site, peer }, heardMsAgo]),
  ];
}
