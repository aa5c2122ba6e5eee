/**
 * Queue-triggered: does what is due on the records that its messages name.
 *
 * Invariant: a message is only a reason to look. Whatever becomes of it, what is due is in the record and in the index, and
 * the sweep wakes it again; so nothing here is ever set aside, but what is no such message. What a result makes due is
 * done in the same run: this function wakes nobody, and so never triggers itself.
 */
import { reactionRunMs } from '@tandem-clouds/replication/bounds';
import { AppError, isRetryable } from '@tandem-clouds/replication/errors';
import type { Disposition, InboundMessage } from '@tandem-clouds/replication/ports/queue';
import type { TimeLimit } from '@tandem-clouds/replication/ports/time-limit';
import { driveReact, type Runner } from '@tandem-clouds/replication/reactions/drive-react';
import { react, type Step } from '@tandem-clouds/replication/reactions/react';
import { entityOf } from '@tandem-clouds/replication/record';
import { MEMBERS } from '@tandem-clouds/replication/semantics';
import { openDeadLetters, openOutbox, queueEntry } from '#cloud';
import { reactionBeginMs } from '../shared/bounds.ts';
import { digest, sha256 } from '../shared/digest.ts';
import { runReaction, within } from '../shared/domain/reactions.ts';
import { uniqueValues } from '../shared/domain/unique/unique-values.ts';
import { storedChecks } from '../shared/generated/validators.js';
import { openServices } from '../shared/open-services.ts';
import { entities } from '../shared/registry/entities.ts';
import { openReplica, openRuntime, openSiteStore, reacting, sleep } from '../shared/runtime.ts';
import { timeLimit } from '../shared/time-limit.ts';
import { validate } from '../shared/validation/validate.ts';
import { wokenKey } from '../shared/wake-message.ts';
import { openPausedReactions } from './paused-reactions.ts';

const runtime = openRuntime();
const { config, logger, metrics } = runtime;
const site = reacting(runtime.site, entities);
const resources = { store: openSiteStore(runtime), outbox: openOutbox(config), sleep };
const replica = openReplica(runtime);
const services = openServices(runtime);
const withinSite = within(entities, digest, uniqueValues(entities, sha256));
const pausedReactions = openPausedReactions(site, resources.store);

export const handler = queueEntry(
  'tandem-react',
  async (messages, limit) => {
    const endsMs = site.now() + reactionBeginMs;
    const keys = new Set(messages.flatMap(({ body }) => wokenKey(body) ?? []));
    const failures = new Map<string, Error>();
    await Promise.all(
      [...keys].map(async (key) => {
        const failure = await reactTo(key, limit, endsMs);
        if (failure !== undefined) failures.set(key, failure);
      }),
    );
    return messages.map((message) => dispositionOf(message, failures));
  },
  { config, logger, metrics, deadLetters: openDeadLetters(config) },
);

async function reactTo(key: string, limit: TimeLimit, endsMs: number): Promise<Error | undefined> {
  try {
    const isPaused = await pausedReactions();
    const goesOn = (): boolean => site.now() < endsMs;
    const protocol = react(site, key, { isPaused, goesOn, within: withinSite });
    for (const step of await driveReact(protocol, { resources, run, limit })) report(key, step);
    return undefined;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    logger.log(error.retryable ? 'warn' : 'error', 'no reaction', { key, error: String(error) });
    return error;
  }
}

/** What fails for a passing reason comes back; what fails for good is woken by the sweep, and named in the log each time. */
function dispositionOf({ body }: InboundMessage, failures: ReadonlyMap<string, Error>): Disposition {
  const key = wokenKey(body);
  if (key === undefined)
    return { kind: 'dead', reason: 'malformed', detail: 'the message names no key of a record' };
  const failure = failures.get(key);
  return failure !== undefined && isRetryable(failure) ? { kind: 'retry', error: failure } : { kind: 'done' };
}

/** Runs the declared code, in a bounded time: it may go on beyond it, so its end counts as unknown. */
const run: Runner = async (effect) => {
  const check = storedChecks[entityOf(effect.record.key)];
  const byMember = await replica.isUnderstood(MEMBERS);
  const limit = timeLimit({ ms: reactionRunMs });
  return limit.run(() =>
    runReaction(entities, effect, {
      site: site.site,
      now: site.now,
      signal: AbortSignal.timeout(reactionRunMs),
      services: services.within({ limit }),
      byMember,
      check: (fields) => (check === undefined ? [] : validate(check, fields)),
    }),
  );
};

function report(key: string, step: Step): void {
  const isTrouble = step.kind === 'failed' || step.kind === 'parked' || step.kind === 'overtaken';
  logger.log(isTrouble ? 'warn' : 'info', `reaction ${step.kind}`, { key, ...step });
}
