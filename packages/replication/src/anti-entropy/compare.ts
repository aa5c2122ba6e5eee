/**
 * Comparing two sites, and repairing what differs.
 *
 * Each side puts all its records into one sketch, the one in, the other out: what is left is the difference. After a
 * grace, in which what was under way arrives, each side offers the states that the other seemed to lack and that have
 * not changed since; what is still lacking differs. It is marked as pending and sent: repair takes the ordinary path.
 *
 * Invariant: a step does a bounded amount of work and leaves the rest to a message that holds all there is to know,
 * so a comparison goes on where a function died. Handling a step twice does the work twice and no harm. What a site cannot
 * read is no part of its side; it is noted, and the comparison goes on.
 */
import {
  compareExamplesMax,
  compareGraceSeconds,
  comparePageSize,
  compareStepMs,
  offerCharactersMax,
  offerPageSize,
} from '../bounds.ts';
import { type FailedKeys, readKeys, scanPage } from '../isolate.ts';
import { keeps } from '../placement.ts';
import type { Protocol, Site } from '../protocol.ts';
import { newestStamp, type StoredRecord } from '../record.ts';
import { areUnderstood, INCARNATIONS } from '../semantics.ts';
import { stampMs } from '../stamp.ts';
import { noteUnusable } from '../unusable-keys.ts';
import { elementOf, hashToText, lacks, offered } from './elements.ts';
import { rewriteEntries } from './fill-indexes.ts';
import {
  type Counted,
  type Job,
  NO_TOTALS,
  type Offered,
  otherSite,
  pass,
  type Rest,
  type Side,
  siteOf,
  type Step,
  type Wanted,
} from './job.ts';
import { mark } from './repair.ts';
import { withCursor, withoutCursor } from './scan-place.ts';
import { Sketch } from './sketch.ts';
import { noteBegin, noteEnd, noteProgress, openExamples } from './verification.ts';

type StepOf<Kind extends Step['kind']> = Step & { readonly kind: Kind };

/** Begins a comparison at this site. @throws UnavailableError when the store or the queue does not answer. */
export function* begin(site: Site, requested: Omit<Job, 'contents'>): Protocol<void> {
  const contents = yield* areUnderstood({ ...site, peers: [requested.to] }, INCARNATIONS);
  const job: Job = { ...requested, ...(contents && { contents }) };
  yield* noteBegin(site, job);
  yield* pass(site.site, { kind: 'digest', job, side: 'from', counted: { from: 0, to: 0 } });
}

/** Puts this side's records into the sketch; then it is the other side's turn, or the difference is known. */
export function* digest(site: Site, step: StepOf<'digest'>): Protocol<void> {
  const { job, side } = step;
  const sketch = step.sketch === undefined ? new Sketch() : Sketch.fromText(step.sketch);
  const untilMs = site.now() + compareStepMs;
  let { cursor } = step;
  let count = 0;
  const unreadable = new Map<string, Error>();
  do {
    const page = yield* scanPage(cursor, comparePageSize, cursor === undefined && job.ordered === true);
    if (page.again === true) {
      // What has been counted comes again: both sides begin anew, and this one as it can go on.
      const anew = { kind: 'digest', job: { ...job, ordered: true }, side: 'from' } as const;
      yield* pass(job.from, { ...anew, counted: { from: 0, to: 0 } });
      return;
    }
    addAll(unreadable, page.unreadable);
    // Whoever reads everything anyway sees to it that everything is in its indexes.
    yield* rewriteEntries(site, page.misindexed ?? []);
    for (const record of page.records) {
      const element = elementOf(site, record, job);
      if (element === undefined) continue;
      count += 1;
      if (side === 'from') sketch.add(element);
      else sketch.take(element);
    }
    cursor = page.next;
  } while (cursor !== undefined && site.now() < untilMs);
  yield* noteUnusable(site, 'compare', unreadable);
  const counted = { ...step.counted, [side]: step.counted[side] + count };
  if (cursor !== undefined) {
    yield* pass(site.site, { ...step, counted, sketch: sketch.toText(), cursor });
  } else if (side === 'from') {
    yield* pass(job.to, { kind: 'digest', job, side: 'to', counted, sketch: sketch.toText() });
  } else {
    const difference = sketch.difference();
    // Too many to be named: then each side offers everything.
    yield* beginSide(job, 'from', counted, difference?.added.map(hashToText) ?? 'all');
    yield* beginSide(job, 'to', counted, difference?.taken.map(hashToText) ?? 'all');
  }
}

function addAll(to: Map<string, Error>, failed: FailedKeys = new Map()): void {
  for (const [key, error] of failed) to.set(key, error);
}

function* beginSide(job: Job, side: Side, counted: Counted, wanted: Wanted): Protocol<void> {
  const step = { job, side, counted, totals: NO_TOTALS } as const;
  if (wanted.length === 0) yield* pass(job.from, { kind: 'ended', ...step });
  else yield* pass(siteOf(job, side), { kind: 'find', ...step, rest: { wanted } }, compareGraceSeconds);
}

/** Looks for the records whose hashes are wanted and offers them to the other side. */
export function* find(site: Site, step: StepOf<'find'>): Protocol<void> {
  const { job, side, counted, totals } = step;
  const { states, rest, changed = 0 } = yield* search(site, job, yield* withCursor(site, step));
  const summed = job.of === undefined ? totals : { ...totals, differing: totals.differing + changed };
  if (states.length > 0) {
    const open = rest && (yield* withoutCursor(site, step, rest));
    const found = { job, side, counted, totals: summed, states } as const;
    yield* pass(otherSite(job, side), { kind: 'offer', ...found, ...(open && { rest: open }) });
  } else {
    yield* goOn(site, { ...step, totals: summed }, rest);
  }
}

type States = StepOf<'offer'>['states'];

function* search(
  site: Site,
  job: Job,
  { wanted, cursor: start }: Rest,
): Protocol<{
  states: States;
  rest?: Rest;
  /** Of what was wanted, what is not there as it was. */
  changed?: number;
}> {
  const untilMs = site.now() + compareStepMs;
  const open = wanted === 'all' ? undefined : new Set(wanted);
  const states: Offered[] = [];
  let characters = 0;
  let cursor = start;
  do {
    const page = yield* scanPage(cursor, offerPageSize);
    for (const record of page.records) {
      if (!isWanted(site, record, job, open)) continue;
      const offer = offered(record, job);
      states.push(offer);
      characters += offer.join('').length;
    }
    cursor = page.next;
  } while (
    cursor !== undefined &&
    open?.size !== 0 &&
    characters < offerCharactersMax &&
    site.now() < untilMs
  );
  if (cursor === undefined || open?.size === 0) return { states, changed: open?.size ?? 0 };
  return { states, rest: { wanted: open === undefined ? 'all' : [...open], cursor } };
}

/** Whether the record is as it was when it was compared, and wanted; it is wanted once. */
function isWanted(site: Site, record: StoredRecord, job: Job, open: Set<string> | undefined): boolean {
  const element = elementOf(site, record, job);
  if (element === undefined) return false;
  if (open !== undefined) return open.delete(hashToText(element));
  return job.of !== undefined || stampMs(newestStamp(record.state) ?? '') < job.atMs;
}

/**
 * Says which of the offered states this site does not include. What it cannot read differs, and sending it again would not
 * help: it is counted here, and not asked for.
 */
export function* respondToOffer(
  site: Site,
  { job, side, counted, totals, rest, states }: StepOf<'offer'>,
): Protocol<void> {
  const { held, failed } = yield* readKeys(states.map(([key]) => key));
  yield* noteUnusable(site, 'compare', failed);
  const keys = states.flatMap((offer) => {
    const [key] = offer;
    const state = held.get(key)?.record.state;
    // A release before offers what is not kept here: it stays where it is.
    const isLacking = keeps(site, site.site, { key, ...(state && { state }) }) && lacks(state, offer);
    return !failed.has(key) && isLacking ? [key] : [];
  });
  const checked = {
    ...totals,
    checked: totals.checked + states.length,
    differing: totals.differing + failed.size,
    examples: examplesWith(site, totals, [...failed.keys()]),
  };
  if (site.site === job.from) yield* noteProgress(site, job, { [side]: checked });
  const response = {
    kind: 'lacking',
    job,
    side,
    counted,
    totals: checked,
    keys,
    ...(rest && { rest }),
  } as const;
  yield* pass(siteOf(job, side), response);
}

/** Counts what the other side lacks and, in a repair, sends it; then looks for more. */
export function* settle(site: Site, step: StepOf<'lacking'>): Protocol<void> {
  const { job, side, keys, totals } = step;
  const repaired = job.repair && keys.length > 0 ? yield* mark(site, otherSite(job, side), keys) : 0;
  const summed = {
    checked: totals.checked,
    differing: totals.differing + keys.length,
    repaired: totals.repaired + repaired,
    examples: examplesWith(site, totals, keys),
  };
  if (site.site === job.from) yield* noteProgress(site, job, { [side]: summed });
  yield* goOn(site, { ...step, totals: summed }, step.rest);
}

function examplesWith(
  site: Site,
  { examples }: StepOf<'lacking'>['totals'],
  keys: readonly string[],
): readonly string[] {
  return [...examples, ...openExamples(site, keys)].slice(0, compareExamplesMax);
}

function* goOn(
  site: Site,
  { job, side, counted, totals }: StepOf<'find' | 'lacking'>,
  rest: Rest | undefined,
): Protocol<void> {
  if (rest === undefined) yield* pass(job.from, { kind: 'ended', job, side, counted, totals });
  else yield* pass(site.site, { kind: 'find', job, side, counted, totals, rest });
}

/** Keeps the result of a side. */
export function* end(site: Site, { job, side, counted, totals }: StepOf<'ended'>): Protocol<void> {
  yield* noteEnd(site, job, side, { counted: counted[side], ...totals });
}
