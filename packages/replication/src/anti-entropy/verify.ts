/** The queue of comparisons: one step a message. */
import { compareHopsMax } from '../bounds.ts';
import { dead, foreign, unreadable } from '../dispositions.ts';
import { isRetryable, MalformedError, RefusedError } from '../errors.ts';
import type { EventCheck } from '../event.ts';
import { type PackOptions, takePack } from '../packs.ts';
import type { Disposition, InboundMessage } from '../ports/queue.ts';
import type { Protocol, Site } from '../protocol.ts';
import { collectTombstones } from './collect-tombstones.ts';
import { digest, end, find, respondToOffer, settle } from './compare.ts';
import { searchErasures, type Subjects } from './erase.ts';
import { fillIndexes } from './fill-indexes.ts';
import { otherSite, type Pack, siteOf, type Step } from './job.ts';
import { purge } from './purge.ts';
import { openExamples } from './verification.ts';

export interface VerifyOptions {
  readonly packs?: PackOptions | undefined;
  /** Whose records they are, for erasures; a function that has no key to say it takes no search. */
  readonly subjects?: Subjects | undefined;
}

/** Handles a batch of the queue. One disposition per message, in order. */
export function* verify(
  site: Site,
  messages: readonly InboundMessage[],
  check: EventCheck,
  { packs, subjects }: VerifyOptions = {},
): Protocol<readonly Disposition[]> {
  const dispositions: Disposition[] = [];
  for (const message of messages) dispositions.push(yield* handle(site, message, { check, packs, subjects }));
  return dispositions;
}

function* handle(
  site: Site,
  message: InboundMessage,
  { check, packs, subjects }: { readonly check: EventCheck } & VerifyOptions,
): Protocol<Disposition> {
  let step: Step;
  try {
    step = parseStep(message.body, check);
  } catch (error) {
    return unreadable(error);
  }
  const strangers = sitesOf(step).filter((name) => name !== site.site && !site.peers.includes(name));
  if (strangers.length > 0) return foreign(`${strangers.join(', ')} is not a peer of ${site.site}`);
  if (handlerOf(step) !== undefined && handlerOf(step) !== site.site)
    return foreign(`a step for ${handlerOf(step) ?? ''} in the queue of ${site.site}`);
  if (step.kind === 'pack') {
    if (packs === undefined) throw new TypeError('this function takes no packs');
    return yield* takePack(site, step, message, packs);
  }
  try {
    yield* take(site, opened(site, hopped(step)), subjects);
    return { kind: 'done' };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return isRetryable(error) ? { kind: 'retry', error } : dead(error);
  }
}

/**
 * The step with one more behind it, which goes along with all that follows from it.
 * @throws RefusedError when there are too many: a removal ends by itself, at the last site that it asks.
 */
function hopped(step: Exclude<Step, Pack>): Exclude<Step, Pack> {
  if (step.kind === 'bury') return step;
  if (step.kind === 'purge') {
    if (step.cursor === undefined) return step;
    return { ...step, hops: boundedHops(step.hops, `looking for what ${step.from} does not keep`) };
  }
  if (step.kind === 'index' || step.kind === 'erase') {
    const what = step.kind === 'index' ? 'filling the indexes of' : 'a search for what is to be erased at';
    return { ...step, hops: boundedHops(step.hops, `${what} ${step.site}`) };
  }
  const { id, from, to } = step.job;
  const hops = boundedHops(step.job.hops, `the comparison ${id} of ${from} and ${to}`);
  return { ...step, job: { ...step.job, hops } };
}

/** The step without names that a function has given it which does not know yet that they may not leave. */
function opened(site: Site, step: Exclude<Step, Pack>): Exclude<Step, Pack> {
  if (!('totals' in step)) return step;
  const examples = openExamples(site, step.totals.examples);
  return { ...step, totals: { ...step.totals, examples } };
}

function boundedHops(before: number | undefined, what: string): number {
  const hops = (before ?? 0) + 1;
  if (hops > compareHopsMax)
    throw new RefusedError(`${what} has taken ${compareHopsMax} steps and not ended: begin another`);
  return hops;
}

function* take(site: Site, step: Exclude<Step, Pack>, subjects: Subjects | undefined): Protocol<void> {
  switch (step.kind) {
    case 'digest':
      return yield* digest(site, step);
    case 'find':
      return yield* find(site, step);
    case 'offer':
      return yield* respondToOffer(site, step);
    case 'lacking':
      return yield* settle(site, step);
    case 'ended':
      return yield* end(site, step);
    case 'bury':
      return yield* collectTombstones(site, step);
    case 'purge':
      return yield* purge(site, step);
    case 'index':
      return yield* fillIndexes(site, step);
    case 'erase':
      // Of a release, or a function, that knows of no subjects: the search is begun again by the next timer.
      return subjects === undefined ? undefined : yield* searchErasures(site, step, subjects);
  }
}

function sitesOf(step: Step): readonly string[] {
  if (step.kind === 'pack') return [step.from];
  if (step.kind === 'index' || step.kind === 'erase') return [step.site];
  if (step.kind === 'purge') return [step.from, step.by];
  return step.kind === 'bury' ? [step.from, ...step.left] : [step.job.from, step.job.to];
}

/** The only site that can take a step; undefined: any. */
function handlerOf(step: Step): string | undefined {
  switch (step.kind) {
    case 'digest':
    case 'find':
    case 'lacking':
      return siteOf(step.job, step.side);
    case 'offer':
      return otherSite(step.job, step.side);
    case 'ended':
      return step.job.from;
    case 'index':
    case 'erase':
      return step.site;
    case 'bury':
    case 'purge':
    case 'pack':
      return undefined;
  }
}

/** @throws MalformedError */
function parseStep(body: string, check: EventCheck): Step {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw new MalformedError('the message is not JSON', { cause });
  }
  const failures = check(value);
  if (failures.length === 0) return value as Step;
  const list = failures
    .map(({ pointer, detail }) => `${pointer === '' ? '/' : pointer} ${detail}`)
    .join('; ');
  throw new MalformedError(`the message is no step of a comparison: ${list}`);
}
