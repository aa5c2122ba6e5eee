/**
 * The steps of a promotion, over what sites say.
 *
 * Invariant: the next site is opened only when the one before has closed, what could still be under way there has ended
 * (`writerSettleMs`), and all that it wrote has arrived (`arrival.ts`); or when it is said to be lost. Run again, it goes on where it
 * stopped.
 */
import { writerCompareMs, writerDrainMs, writerPollMs, writerSettleMs } from '../../src/shared/bounds.ts';
import { Arrival, viewOf, waitingAt } from './arrival.ts';
import type { WriterSite } from './writer-site.ts';

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
    const arrival = new Arrival({ sites, before, next, entity, closed });
    let [drainedMs, comparedMs] = [0, 0];
    for (let missing = await arrival.look(); missing !== undefined; missing = await arrival.look()) {
      if (drainedMs >= writerDrainMs || comparedMs >= writerCompareMs)
        return `${to} has not got everything yet (${missing.why}); nobody writes. The same command goes on, and promote ${entity} --to ${from} gives it back`;
      if (missing.isComparing) comparedMs += writerPollMs;
      else drainedMs += writerPollMs;
      await sleep(writerPollMs);
    }
  }
  await next.open({ entity, epoch: closed });
  return undefined;
}
