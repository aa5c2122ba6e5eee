/**
 * The function of a queue that does what is due on the records that its messages name.
 *
 * Invariant: a message is only a reason to look. Whatever becomes of it, what is due is in the record and in the index, and
 * the sweep wakes it again; so nothing here is ever set aside, but what is no such message. What a result makes due is
 * done in the same run; what is woken by it is only a record that the time of a batch was too short for: one message for
 * each that was taken, so an object of so many parts triggers the function at most that many times.
 */
import { reactionRunMs } from '@tandem-clouds/replication/bounds';
import { AppError, isRetryable } from '@tandem-clouds/replication/errors';
import type { ObjectEffect } from '@tandem-clouds/replication/objects/effects';
import { holdWithin, recheck } from '@tandem-clouds/replication/objects/hold';
import type { Disposition } from '@tandem-clouds/replication/ports/queue';
import type { TimeLimit } from '@tandem-clouds/replication/ports/time-limit';
import {
  driveReact,
  type Driving,
  type ObjectRunner,
  type Runner,
} from '@tandem-clouds/replication/reactions/drive-react';
import {
  type OutsideEffect,
  react,
  type ReactOptions,
  type Step,
} from '@tandem-clouds/replication/reactions/react';
import { entityOf } from '@tandem-clouds/replication/record';
import { MEMBERS } from '@tandem-clouds/replication/semantics';
import { openDeadLetters, queueEntry } from '#cloud';
import { transferBodiesAtOnce } from '../shared/bounds.ts';
import { digest, sha256 } from '../shared/digest.ts';
import { contentsOf } from '../shared/domain/content.ts';
import type { FieldCheck } from '../shared/domain/field-check.ts';
import { runReaction, within } from '../shared/domain/reactions.ts';
import type { Replica } from '../shared/domain/replica.ts';
import { uniqueValues } from '../shared/domain/unique/unique-values.ts';
import { storedChecks } from '../shared/generated/validators.js';
import { openServices } from '../shared/open-services.ts';
import type { ProcessServices, Services } from '../shared/ports/services.ts';
import { entities } from '../shared/registry/entities.ts';
import {
  openOwnOutbox,
  openReplica,
  openSiteStore,
  openWaker,
  reacting,
  type Runtime,
  sleep,
} from '../shared/runtime.ts';
import { timeLimit } from '../shared/time-limit.ts';
import { validate } from '../shared/validation/validate.ts';
import { openPausedReactions } from './paused-reactions.ts';

interface ReactionQueue {
  /** Of the function. */
  readonly name: string;
  readonly queue: string;
  /** The keys that a message names, which may be none; undefined: it is no message of this queue. */
  readonly keysOf: (body: string) => readonly string[] | undefined;
  /** Whether it is a report of this site's storage, which says that what the site claims may not be true. */
  readonly isReport?: (body: string) => boolean;
  /** What a message of another kind asks for, after the keys of its batch; undefined: it is none. */
  readonly otherThanKeys?: (body: string) => OtherTask | undefined;
  /** How many records are worked on at a time. */
  readonly keysAtOnce: number;
  /** After so long a batch begins nothing more: what has begun then ends within the time of the batch. */
  readonly beginMs: number;
  /** The time of a batch where the platform does not bound it (`queueEntry`). */
  readonly handleMs?: number;
  /** What protocols ask of storages. */
  readonly objects: ObjectRunner;
  /** What steps ask of services outside; a function without it asks none. */
  readonly outside?: (effect: OutsideEffect, services: Services) => Promise<unknown>;
}

/** @param endsMs When nothing more is begun. */
export type OtherTask = (driving: Driving, endsMs: number) => Promise<Disposition>;

/** What the platform calls. Reads the configuration. */
export function runReactions(
  runtime: Runtime,
  {
    name,
    queue,
    keysOf,
    isReport,
    otherThanKeys,
    keysAtOnce,
    beginMs,
    handleMs,
    objects,
    outside,
  }: ReactionQueue,
): unknown {
  const { config, logger, metrics, tracing } = runtime;
  const site = reacting(runtime.site, entities, config);
  const resources = {
    store: openSiteStore(runtime),
    outbox: openOwnOutbox(runtime),
    // What was not done to its end in the time of a batch.
    waker: openWaker(runtime, entities),
    sleep,
  };
  const replica = openReplica(runtime);
  const services = openServices(runtime);
  const run = openRunner(runtime, replica, services);
  const contents = contentsOf(entities);
  const uniqueOf = uniqueValues(entities, sha256);
  const pausedReactions = openPausedReactions(site, resources.store);

  const drivingWithin = (limit: TimeLimit): Driving => ({
    resources,
    run,
    objects: (effect: ObjectEffect) => tracing.step(effect.op, {}, () => limit.run(() => objects(effect))),
    ...(outside !== undefined && {
      outside: (effect: OutsideEffect) =>
        tracing.step(`call ${effect.service}`, {}, () =>
          limit.run(() => outside(effect, services.within({ limit }))),
        ),
    }),
    limit,
  });
  const reactTo = async (
    key: string,
    { isReported, endsMs, limit }: { isReported: boolean; endsMs: number; limit: TimeLimit },
  ): Promise<Error | undefined> => {
    const goesOn = (): boolean => site.now() < endsMs;
    const holding = contents && holdWithin(contents, { goesOn, partsAtOnce: transferBodiesAtOnce });
    const byMember = await replica.isUnderstood(MEMBERS);
    const withinSite = within(entities, digest, uniqueOf, ({ name }) => ({ byMember, check: checkOf(name) }));
    const options: ReactOptions = {
      isPaused: await pausedReactions(),
      goesOn,
      within: (...asked) => holding?.(...asked) ?? withinSite(...asked),
      ...(handleMs !== undefined && { runMs: handleMs }),
    };
    const driving = drivingWithin(limit);
    if (isReported && contents !== undefined) {
      const found = await driveReact(recheck(site, key, contents), driving);
      if (found === 'missing' || found === 'other')
        logger.log('warn', 'content is not here any more', { key, found });
    }
    for (const step of await driveReact(react(site, key, options), driving)) report(key, step);
    return undefined;
  };

  const failureOf = async (key: string, given: Parameters<typeof reactTo>[1]): Promise<Error | undefined> => {
    try {
      return await tracing.record(name, key, () => reactTo(key, given));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      logger.log(error.retryable ? 'warn' : 'error', 'no reaction', { key, error: String(error) });
      return error;
    }
  };

  const report = (key: string, step: Step): void => {
    const isTrouble = step.kind === 'failed' || step.kind === 'parked' || step.kind === 'overtaken';
    logger.log(isTrouble ? 'warn' : 'info', `reaction ${step.kind}`, { key, ...step });
  };

  return queueEntry(
    queue,
    tracing.batch(name, queue, async (messages, limit) => {
      const endsMs = site.now() + beginMs;
      const others = messages.map(({ body }) => otherThanKeys?.(body));
      const named = messages.map(({ body }, index) => (others[index] === undefined ? keysOf(body) : []));
      const keys = new Set(named.flatMap((ofMessage) => ofMessage ?? []));
      const reported = new Set(
        messages.flatMap(({ body }, index) => (isReport?.(body) === true ? (named[index] ?? []) : [])),
      );
      const failures = new Map<string, Error>();
      await eachOf([...keys], keysAtOnce, async (key) => {
        const failure = await failureOf(key, { isReported: reported.has(key), endsMs, limit });
        if (failure !== undefined) failures.set(key, failure);
      });
      return Promise.all(
        named.map(
          async (ofMessage, index) =>
            (await others[index]?.(drivingWithin(limit), endsMs)) ?? dispositionOf(ofMessage, failures),
        ),
      );
    }),
    {
      config,
      logger,
      metrics,
      deadLetters: openDeadLetters(config),
      ...(handleMs !== undefined && { handleMs }),
    },
  );
}

/** So many side by side. @throws what one of them throws, when the others that had begun have ended */
async function eachOf<T>(
  items: readonly T[],
  atOnce: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await act(item);
  };
  const endings = await Promise.allSettled(
    Array.from({ length: Math.min(atOnce, items.length) }, () => worker()),
  );
  for (const ending of endings) if (ending.status === 'rejected') throw ending.reason;
}

/** What fails for a passing reason comes back; what fails for good is woken by the sweep, and named in the log each time. */
function dispositionOf(
  keys: readonly string[] | undefined,
  failures: ReadonlyMap<string, Error>,
): Disposition {
  if (keys === undefined)
    return { kind: 'dead', reason: 'malformed', detail: 'the message names no key of a record' };
  const failure = keys.map((key) => failures.get(key)).find(isRetryable);
  return failure === undefined ? { kind: 'done' } : { kind: 'retry', error: failure };
}

/** What is wrong with fields of an entity as they are stored. */
function checkOf(entity: string): FieldCheck {
  const check = storedChecks[entity];
  return (fields) => (check === undefined ? [] : validate(check, fields));
}

/** Runs the declared code, in a bounded time: it may go on beyond it, so its end counts as unknown. */
function openRunner({ site }: Runtime, replica: Replica, services: ProcessServices): Runner {
  return async (effect) => {
    const check = checkOf(entityOf(effect.record.key));
    const byMember = await replica.isUnderstood(MEMBERS);
    const limit = timeLimit({ ms: reactionRunMs });
    return limit.run(() =>
      runReaction(entities, effect, {
        site: site.site,
        now: site.now,
        signal: AbortSignal.timeout(reactionRunMs),
        services: services.within({ limit }),
        byMember,
        check,
      }),
    );
  };
}
