/**
 * The steps of a promotion, over what sites say.
 *
 * Invariant: the next site is opened only when the one before has closed, what could still be under way there has ended
 * (`writerSettleMs`), and all that it wrote has arrived; or when it is said to be lost. Run again, it goes on where it
 * stopped.
 */
import { entityOf } from '@tandem-clouds/replication/record';
import { UNIQUE } from '@tandem-clouds/replication/reserved';
import { writerDrainMs, writerPollMs, writerSettleMs } from '../../src/shared/bounds.ts';
import type { WriterView } from '../../src/shared/http/operations/writers.ts';
import type { PendingView } from '../../src/shared/operations/pending-view.ts';

/** One site, as a promotion asks it. */
export interface WriterSite {
  readonly site: string;
  writers(): Promise<readonly WriterView[]>;
  close(step: { readonly entity: string; readonly epoch: number; readonly to: string }): Promise<unknown>;
  open(step: { readonly entity: string; readonly epoch: number }): Promise<unknown>;
  pending(): Promise<PendingView>;
  /** Messages in its inbound queue. */
  inbound(): Promise<number>;
  /** Since it was last heard, as this site knows; null: never. */
  heardMsAgo(peer: string): Promise<number | null>;
}

export interface Plan {
  readonly entity: string;
  readonly from: string;
  readonly to: string;
  /** As it was seen. */
  readonly epoch: number;
  /**
   * `there`: nothing is to be done. `move`: both live. `goOn`: the one before has closed. `lost`: it does not answer.
   */
  readonly way: 'there' | 'move' | 'goOn' | 'lost';
  /** Keys with writes of `from` that `to` does not hold yet; nobody knows them of a site that is lost. */
  readonly waiting: readonly string[];
  readonly atLeast: boolean;
  readonly heardMsAgo: number | null;
}

/** @throws Error when who writes does not answer, and is not said to be lost */
export async function planOf(
  sites: readonly WriterSite[],
  { entity, to, lost }: { readonly entity: string; readonly to: string; readonly lost: string | undefined },
): Promise<Plan> {
  const views = await Promise.all(sites.map(async (each) => viewOf(each, entity)));
  const { site, epoch, closedBy } = views.reduce((newest, view) =>
    view.epoch > newest.epoch ? view : newest,
  );
  const from = closedBy ?? site;
  const base = { entity, from, to, epoch, waiting: [], atLeast: false, heardMsAgo: null };
  if (site === to && closedBy === undefined) return { ...base, way: 'there' };
  if (lost !== undefined) {
    if (lost !== from) throw new Error(`${entity} is written at ${from}, not at ${lost}`);
    const heard = await sites.find((each) => each.site === to)?.heardMsAgo(from);
    return { ...base, way: 'lost', heardMsAgo: heard ?? null };
  }
  const writer = sites.find((each) => each.site === from);
  if (writer === undefined)
    throw new Error(
      `${from}, which writes ${entity}, does not answer; if it is lost, fence it and say --lost ${from}`,
    );
  return {
    ...base,
    way: closedBy === undefined ? 'move' : 'goOn',
    ...(await waitingAt(writer, { entity, to })),
  };
}

/** Returns why it could not be done; undefined: it is. */
export async function perform(
  sites: readonly WriterSite[],
  { entity, from, to, epoch, way }: Plan,
  {
    sleep,
    note,
  }: { readonly sleep: (ms: number) => Promise<unknown>; readonly note: (line: string) => void },
): Promise<string | undefined> {
  const [before, next] = [from, to].map((name) => sites.find(({ site }) => site === name));
  if (next === undefined) return `${to} does not answer`;
  if (way === 'there') return undefined;
  if (way === 'lost') {
    await next.open({ entity, epoch });
    return undefined;
  }
  if (before === undefined) return `${from} does not answer`;
  if (way === 'move') {
    await before.close({ entity, epoch, to });
    note(`${entity}: ${from} has closed; nobody writes until ${to} has what it wrote`);
  }
  const closed = way === 'move' ? epoch + 1 : epoch;
  // To its own site it is given back at once.
  if (before !== next) {
    await sleep(writerSettleMs);
    for (
      let waitedMs = 0;
      !(await hasArrived({ sites, before, next, entity, closed }));
      waitedMs += writerPollMs
    ) {
      if (waitedMs >= writerDrainMs)
        return `${to} has not got everything yet; nobody writes. The same command goes on, and promote ${entity} --to ${from} gives it back`;
      await sleep(writerPollMs);
    }
  }
  await next.open({ entity, epoch: closed });
  return undefined;
}

/** @throws Error when somebody else has moved it meanwhile */
async function hasArrived({
  sites,
  before,
  next,
  entity,
  closed,
}: {
  readonly sites: readonly WriterSite[];
  readonly before: WriterSite;
  readonly next: WriterSite;
  readonly entity: string;
  readonly closed: number;
}): Promise<boolean> {
  const now = await viewOf(before, entity);
  if (now.epoch !== closed)
    throw new Error(
      `${entity} has been moved by somebody else: ${before.site} is at epoch ${now.epoch}, not ${closed}`,
    );
  // Also what another site wrote when it was the one that writes, and has not sent yet.
  for (const each of sites.filter((site) => site !== next)) {
    const { waiting, atLeast } = await waitingAt(each, { entity, to: next.site });
    if (waiting.length > 0 || atLeast) return false;
  }
  return (await viewOf(next, entity)).epoch === closed && (await next.inbound()) === 0;
}

async function waitingAt(
  writer: WriterSite,
  { entity, to }: { readonly entity: string; readonly to: string },
): Promise<Pick<Plan, 'waiting' | 'atLeast'>> {
  const peer = (await writer.pending()).peers.find(({ site }) => site === to);
  // A value that is claimed is taken, also where the record that has it has arrived and its claim has not.
  const waiting = (peer?.keys ?? [])
    .map(({ key }) => key)
    .filter((key) => [entity, UNIQUE].includes(entityOf(key)));
  return { waiting, atLeast: peer?.atLeast ?? false };
}

/** @throws Error when the site's release does not know it */
async function viewOf(at: WriterSite, entity: string): Promise<WriterView> {
  const view = (await at.writers()).find((each) => each.entity === entity);
  if (view === undefined) throw new Error(`the release of ${at.site} knows no writer of ${entity}`);
  return view;
}
