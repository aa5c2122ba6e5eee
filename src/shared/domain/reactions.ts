/**
 * From the declared reactions of entities to what the protocol evaluates and runs (`replication/reactions/`).
 *
 * Invariant: what a condition says, and the name of its effect, is a function of the record's state alone: the same at
 * every site, before and after a crash, and also when a merge made it true. Only what has not come yet depends on the clock.
 */
import { reactionDetailMax } from '@tandem-clouds/replication/bounds';
import { own } from '@tandem-clouds/replication/own';
import { memberOf } from '@tandem-clouds/replication/policies/members';
import type { Condition, Reactions } from '@tandem-clouds/replication/reactions/condition';
import type { ReactionEffect, Result } from '@tandem-clouds/replication/reactions/react';
import {
  entityOf,
  isLive,
  newestStamp,
  partsOf,
  type RecordState,
  type StoredRecord,
} from '@tandem-clouds/replication/record';
import { laterStamp, type Stamp, stampMs, stampSite } from '@tandem-clouds/replication/stamp';
import { RuleFaultError } from '../errors.ts';
import type { Services } from '../ports/services.ts';
import type { Entity, FieldChanges, Reaction, ReactionContext, Values } from './entity.ts';
import { fieldChanges, valuesOf } from './field-changes.ts';
import type { FieldCheck } from './field-check.ts';

/** 32 characters of letters, digits, `-` and `_` that name a text: nobody can make those of two texts equal. */
export type Digest = (text: string) => string;

/** The reactions of these entities, for the protocol; undefined when none declares any. */
export function reactionsOf(entities: readonly Entity[], digest: Digest): Reactions | undefined {
  const reacting = new Map(
    entities
      .filter(({ reactions }) => Object.keys(reactions).length > 0)
      .map((entity) => [entity.name, entity] as const),
  );
  if (reacting.size === 0) return undefined;
  return {
    knows: (key, reaction) => Object.hasOwn(reacting.get(entityOf(key))?.reactions ?? {}, reaction),
    conditions(key, state, nowMs) {
      const entity = reacting.get(entityOf(key));
      if (entity === undefined || !isLive(state, nowMs)) return [];
      const record = recordOf(entity, key, state);
      return Object.keys(entity.reactions).flatMap(
        (name) => conditionOf(entity, name, { key, state, record, nowMs, digest }) ?? [],
      );
    },
  };
}

/** What evaluates one condition. */
interface Evaluated {
  readonly key: string;
  readonly state: RecordState;
  readonly record: Values;
  readonly nowMs: number;
  readonly digest: Digest;
}

function conditionOf(entity: Entity, name: string, evaluated: Evaluated): Condition | undefined {
  const { key, state, record, nowMs, digest } = evaluated;
  const reaction = own(entity.reactions, name);
  if (reaction === undefined) return undefined;
  const stamps = reaction.on.map((field) => newestOf(state, field));
  const newest = stamps.reduce(laterStamp, undefined) ?? newestStamp(state) ?? '';
  const condition = {
    reaction: name,
    site: reaction.site,
    origin: stampSite(newest),
    madeMs: stampMs(newest),
    canLookUp: reaction.lookup !== undefined,
  };
  const named = (by: readonly (string | undefined)[]): string =>
    `${name}-v${reaction.version}-${digest(effectText(key, name, reaction, by))}`;
  try {
    const when = reaction.when(record, nowMs);
    if (when === false) return undefined;
    if (when !== true && !Number.isFinite(when)) throw new TypeError(`when returned ${String(when)}`);
    const effectId = named(reaction.once === undefined ? stamps : ['once', reaction.once(record)]);
    return { ...condition, effectId, ...(typeof when === 'number' && { fromMs: when }) };
  } catch (error) {
    // A defect of a condition must not stop the write that it is evaluated in.
    const broken = `its condition threw: ${String(error)}`.slice(0, reactionDetailMax);
    return { ...condition, effectId: named(stamps), broken };
  }
}

/** The newest stamp of a field: of its register, of the slots of its set or counter, or of a member of its object. */
function newestOf(state: RecordState, field: string): Stamp | undefined {
  const { register, set = {}, counter = {} } = partsOf(state, field);
  const members = Object.entries(state.fields).filter(([name]) => memberOf(name)?.field === field);
  return [...Object.values(set), ...Object.values(counter), ...members.map(([, each]) => each)]
    .map(([stamp]) => stamp)
    .reduce<Stamp | undefined>(laterStamp, register?.[0]);
}

/**
 * What names an effect. The name itself has at most 84 characters that any provider takes for an idempotency key and any
 * header carries, whatever the record's id is made of.
 */
function effectText(
  key: string,
  name: string,
  { version }: Reaction,
  by: readonly (string | undefined)[],
): string {
  return JSON.stringify([key, name, version, ...by.map((each) => each ?? null)]);
}

function recordOf(entity: Entity, key: string, state: RecordState): Values {
  return valuesOf(entity, { key, state, pending: {}, operations: [] });
}

export interface Running {
  readonly site: string;
  readonly now: () => number;
  /** Ends a run that takes too long. */
  readonly signal: AbortSignal;
  readonly services: Services;
  /** False while a peer runs a release that writes objects as a whole. */
  readonly byMember: boolean;
  readonly check: FieldCheck;
}

/** Does what the protocol asks for, by the declared code. @throws whatever that throws */
export async function runReaction(
  entities: readonly Entity[],
  effect: ReactionEffect,
  running: Running,
): Promise<Result | 'absent'> {
  const entity = entities.find(({ name }) => name === entityOf(effect.record.key));
  const reaction = entity && own(entity.reactions, effect.reaction);
  if (entity === undefined || reaction === undefined)
    throw new TypeError(`${effect.record.key}: no reaction ${effect.reaction} is declared`);
  const context: ReactionContext = {
    effectId: effect.effectId,
    now: new Date(running.now()),
    attempt: effect.attempt,
    fence: effect.fence,
    site: running.site,
    signal: running.signal,
    services: running.services,
  };
  const record = valuesOf(entity, effect.record);
  if (effect.call === 'lookUp') {
    const found = await reaction.lookup?.(record, context);
    return found === undefined ? 'absent' : resultOf(entity, found, running);
  }
  const changes = await reaction.run(record, context);
  if (changes === undefined) return undefined;
  if (reaction.site === 'every')
    throw new RuleFaultError(`${effect.reaction} runs at every site and returned changes of the record`);
  return resultOf(entity, changes, running);
}

/** What a reaction returned, as what it changes of the record as it then is. */
export function resultOf(
  entity: Entity,
  changes: FieldChanges,
  { byMember, check }: Pick<Running, 'byMember' | 'check'>,
): NonNullable<Result> {
  return (current: StoredRecord) =>
    fieldChanges(entity, current, changes, { writer: 'reaction', byMember, check });
}
