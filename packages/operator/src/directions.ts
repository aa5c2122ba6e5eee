/** From what the sites said to what is known of each direction. Pure. */
import type { PendingKey } from '../../../src/shared/operations/pending-view.ts';
import type { ContentView, TallyView } from '../../../src/shared/operations/replication-view.ts';
import type { QueueDepth } from '../../../src/shared/ports/dead-letter-box.ts';
import type { SiteReport } from './query-sites.ts';

/** What is known of replication from one site to another; what nobody could say is absent. */
export interface Direction {
  readonly from: string;
  /** Absent when the site does not answer and nobody names it as a peer. */
  readonly to?: string;
  /** RFC 3339, by the clock of `from`: everything acknowledged there before it is safe at `to`. */
  readonly safeTime?: string;
  /** How far the safe time is behind that clock. */
  readonly behindMs?: number;
  /** Records with writes that would be lost if `from` vanished now. */
  readonly keysAtRisk?: number;
  /** There may be more of them. */
  readonly atLeast?: boolean;
  readonly oldestPendingMs?: number;
  /** How many of those records the queue of `to` refuses for good; absent when it refuses none. */
  readonly refusedKeys?: number;
  /** Those records, the oldest first, when they were asked for. */
  readonly keys?: readonly PendingKey[];
  /** Age of the newest heartbeat of `from` at `to`; null: none yet. */
  readonly heardMsAgo?: number | null;
  /** Messages in the outbound queue of `from`. */
  readonly outQueue?: QueueDepth;
  /** Messages in the inbound queue of `to`, of all its peers. */
  readonly inQueue?: QueueDepth;
  /** Messages that `to` has set aside, of all its queues. */
  readonly deadLetters?: QueueDepth;
  /** An operator has stopped what is sent. */
  readonly paused?: boolean;
  /** Records a second that `from` is sending of a backlog, to all its peers; absent when it sends none. */
  readonly sendingPerSecond?: number;
  /** RFC 3339, an estimate: when the last of them will have been sent. */
  readonly sentBy?: string;
  /** Contents of records that `to` has not got and `from` has; absent where no entity has content. */
  readonly content?: TallyView & { readonly atLeast: boolean };
  /** How their bytes have become fewer between two looks, with what was added meanwhile; absent: nobody knows. */
  readonly contentRate?: ContentRate;
  /** Why `to` did not take what was sent last. */
  readonly refusal?: string;
  /** Why `from` did not answer. */
  readonly problem?: string;
}

export interface ContentRate {
  /** 0: they have not become fewer. */
  readonly bytesPerSecond: number;
  /** How long the looks were apart. */
  readonly overMs: number;
  /** RFC 3339, by the clock of who was asked: when the last of them will have crossed, if it goes on so. */
  readonly doneAt?: string;
}

/** Every direction that a site names, and those from sites that did not answer, in the order of the reports. */
export function directionsOf(reports: readonly SiteReport[]): readonly Direction[] {
  return reports.flatMap((report) => {
    const peers = peersOf(report, reports);
    return peers.length > 0 || report.problem === undefined
      ? peers.map((to) => direction(report, to, reports))
      : [{ from: report.site ?? report.url, problem: report.problem }];
  });
}

/** A silent site's peers are those that name it. */
function peersOf({ site, replication }: SiteReport, reports: readonly SiteReport[]): readonly string[] {
  if (replication !== undefined) return replication.peers.map((peer) => peer.site);
  return reports.flatMap((other) =>
    other.site !== undefined && other.replication?.peers.some((peer) => peer.site === site) === true
      ? [other.site]
      : [],
  );
}

function direction(report: SiteReport, to: string, reports: readonly SiteReport[]): Direction {
  const from = report.site ?? report.url;
  const receiver = reports.find(({ site }) => site === to);
  const heard = receiver?.replication?.inbound.find(({ site }) => site === from)?.heardMsAgo;
  return {
    from,
    to,
    ...outbound(report, to),
    ...namedKeys(report, to),
    ...contentOn(report, receiver, to),
    ...(heard !== undefined && { heardMsAgo: heard }),
    ...(report.queues !== undefined && { outQueue: report.queues.out }),
    ...(receiver?.queues !== undefined && { inQueue: receiver.queues.in, deadLetters: receiver.queues.dead }),
    ...(report.problem !== undefined && { problem: report.problem }),
  };
}

/** As the site that has it says; where that does not answer, as far as it has crossed, the one that lacks it. */
function contentOn(
  { site, replication: sender }: SiteReport,
  receiver: SiteReport | undefined,
  to: string,
): Partial<Direction> {
  const sent = sender?.peers.find((peer) => peer.site === to)?.content;
  const awaited = receiver?.replication?.inbound.find((peer) => peer.site === site)?.content;
  const tally = sent ?? awaited;
  const { atLeast }: Pick<ContentView, 'atLeast'> = (sent === undefined
    ? receiver?.replication?.content
    : sender?.content) ?? { atLeast: false };
  return tally === undefined ? {} : { content: { ...tally, atLeast } };
}

/** The directions with how fast contents cross, by what an earlier look has found; pure. */
export function withContentRates(
  directions: readonly Direction[],
  before: { readonly directions: readonly Direction[]; readonly atMs: number } | undefined,
  atMs: number,
): readonly Direction[] {
  if (before === undefined) return directions;
  const overMs = atMs - before.atMs;
  return directions.map((direction) => {
    const earlier = before.directions.find(({ from, to }) => from === direction.from && to === direction.to);
    const { content } = direction;
    const isKnown = content !== undefined && earlier?.content !== undefined && overMs > 0;
    if (!isKnown || content.objects === 0 || content.atLeast || earlier.content.atLeast) return direction;
    const fewer = Math.max(0, earlier.content.bytes - content.bytes);
    const bytesPerSecond = Math.round((fewer * 1_000) / overMs);
    const leftMs = (content.bytes * 1_000) / bytesPerSecond;
    const contentRate = {
      bytesPerSecond,
      overMs,
      ...(bytesPerSecond > 0 && { doneAt: new Date(Math.round(atMs + leftMs)).toISOString() }),
    };
    return { ...direction, contentRate };
  });
}

function namedKeys({ pending }: SiteReport, to: string): Partial<Direction> {
  const peer = pending?.peers.find(({ site }) => site === to);
  return peer === undefined ? {} : { keys: peer.keys };
}

function outbound({ replication }: SiteReport, to: string): Partial<Direction> {
  const peer = replication?.peers.find(({ site }) => site === to);
  if (replication === undefined || peer === undefined) return {};
  const { safeTime, exposure, oldestPendingMs, paused, problem } = peer;
  const { recovery } = replication;
  return {
    safeTime,
    behindMs: Date.parse(replication.now) - Date.parse(safeTime),
    keysAtRisk: exposure.keys,
    atLeast: exposure.atLeast,
    ...(exposure.refused !== undefined && { refusedKeys: exposure.refused }),
    oldestPendingMs,
    paused,
    ...(recovery !== undefined &&
      exposure.keys > 0 && {
        sendingPerSecond: recovery.keysPerSecond,
        ...(recovery.doneAt !== null && { sentBy: recovery.doneAt }),
      }),
    ...(problem !== undefined && { refusal: problem }),
  };
}
