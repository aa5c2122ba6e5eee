/**
 * From the declared reactions of entities to what the protocol evaluates and runs (`replication/reactions/`).
 *
 * Invariant: what a condition says, and the name of its effect, is a function of the record's state alone: the same at
 * every site, before and after a crash, and also when a merge made it true. Only what has not come yet depends on the clock.
 */
import { reactionDetailMax } from '@tandem-clouds/replication/bounds';
import { contentConditions } from '@tandem-clouds/replication/objects/conditions';
import { CROSSING, HOLD } from '@tandem-clouds/replication/objects/content';
import { own } from '@tandem-clouds/replication/own';
import { keeps, peersOf } from '@tandem-clouds/replication/placement';
import { memberOf } from '@tandem-clouds/replication/policies/members';
import type { Site } from '@tandem-clouds/replication/protocol';
import type { Condition, Reactions } from '@tandem-clouds/replication/reactions/condition';
import type {
  ReactionEffect,
  ReactOptions,
  Result,
  StepsProtocol,
} from '@tandem-clouds/replication/reactions/react';
import {
  entityOf,
  isDeleted,
  isLive,
  newestStamp,
  partsOf,
  type RecordState,
  type StoredRecord,
} from '@tandem-clouds/replication/record';
import { UNIQUE } from '@tandem-clouds/replication/reserved';
import { laterStamp, type SiteId, type Stamp, stampMs, stampSite } from '@tandem-clouds/replication/stamp';
import { RuleFaultError } from '../errors.ts';
import type { Services } from '../ports/services.ts';
import { sharedCache } from './caching/keys.ts';
import { PURGE, purgeRecord } from './caching/purge.ts';
import { contentsOf } from './content.ts';
import {
  type Entity,
  type FieldChanges,
  type Reaction,
  type ReactionContext,
  recordIdOf,
  type Values,
} from './entity.ts';
import { fieldChanges, valuesOf } from './field-changes.ts';
import type { FieldCheck } from './field-check.ts';
import { siteCondition } from './site-condition.ts';
import { projectRecord, SQL } from './sql/project.ts';
import {
  type Duplicates,
  isSettlement,
  type Loss,
  lossOf,
  markedBy,
  ON_DUPLICATE,
  settledLoss,
  settlement,
  settlementsOf,
} from './unique/duplicates.ts';
import type { UniqueOf } from './unique/unique-values.ts';

/** 32 characters of letters, digits, `-` and `_` that name a text: nobody can make those of two texts equal. */
export type Digest = (text: string) => string;

/** What a site does with records of every entity. */
export interface Own {
  /** Keeps tables of them (docs/sql.md). */
  readonly tables?: boolean;
  /** Part of the name of each row's writing (`Config.sqlFill`). */
  readonly sqlFill?: number;
  /** Has shared caches in front of it (docs/caching.md). */
  readonly purges?: boolean;
}

/** The names of what an entity reacts with. */
export function reactionNames(
  entity: Entity,
  { tables = false, purges = false }: Own = {},
): readonly string[] {
  const { reactions, onDuplicate, content } = entity;
  return [
    ...(tables ? [SQL] : []),
    ...(purges && sharedCache(entity) !== undefined ? [PURGE] : []),
    ...Object.keys(reactions),
    ...(onDuplicate === undefined ? [] : [ON_DUPLICATE]),
    ...(content === undefined ? [] : [HOLD, CROSSING]),
  ];
}

/** Whether something may be due on its records, at a site that has a place for objects or has none. */
export function reactsWhere(entity: Entity, hasObjects: boolean, own: Own = {}): boolean {
  const { content: _, ...without } = entity;
  return reactionNames(hasObjects ? entity : without, own).length > 0;
}

/**
 * The reactions of these entities, for the protocol; undefined when none declares any.
 * @param uniqueOf Their unique values; without it nobody finds out who has lost one.
 * @param site Whose conditions they are; without it nothing is done about content.
 * @param ownOf What that site does with records of every entity; nothing unless it is said.
 */
export function reactionsOf(
  entities: readonly Entity[],
  digest: Digest,
  uniqueOf: UniqueOf = () => undefined,
  site?: Site,
  ownOf: Own = {},
): Reactions | undefined {
  const reacting = new Map(
    entities
      .filter((entity) => reactionNames(entity, ownOf).length > 0)
      .map((entity) => [entity.name, entity] as const),
  );
  if (reacting.size === 0) return undefined;
  const duplicates = duplicatesOf(entities, digest, uniqueOf);
  const contents = contentsOf(entities);
  return {
    knows(key, reaction) {
      const name = entityOf(key);
      if (name === UNIQUE) return isSettlement(reaction);
      const entity = reacting.get(name);
      return entity !== undefined && reactionNames(entity, ownOf).includes(reaction);
    },
    conditions(key, state, nowMs) {
      const name = entityOf(key);
      if (name === UNIQUE) return settlementsOf(key, state, duplicates);
      const entity = reacting.get(name);
      if (entity === undefined) return [];
      const isThere = isLive(state, nowMs);
      if (!isThere && !isDeleted(state)) return [];
      const record = recordOf(entity, key, state);
      const names = Object.keys(entity.reactions).filter(
        (reaction) => isThere || own(entity.reactions, reaction)?.whenDeleted === true,
      );
      const declared: Condition[] = names.flatMap(
        (reaction) => conditionOf(entity, reaction, { key, state, record, nowMs, digest }) ?? [],
      );
      if (ownOf.tables === true)
        declared.push(siteCondition(SQL, { key, state, digest, fill: ownOf.sqlFill ?? 1 }));
      if (ownOf.purges === true && sharedCache(entity) !== undefined)
        declared.push(siteCondition(PURGE, { key, state, digest }));
      if (!isThere) return declared;
      const lost = lostCondition(entity, key, state, digest);
      return [
        ...declared,
        ...(lost === undefined ? [] : [lost]),
        ...(contents === undefined || site === undefined
          ? []
          : contentConditions(contents, key, state, {
              site: site.site,
              keptBy: keptBy(site, key),
              nowMs,
              digest,
            })),
      ];
    },
  };
}

/** The sites that keep a record, of those that are there. */
function keptBy(site: Site, key: string): readonly SiteId[] {
  const others = peersOf(site, { key });
  return keeps(site, site.site, { key }) ? [site.site, ...others] : others;
}

/**
 * What is done within a site: about its unique values, and by the steps of declared reactions.
 * @param writingOf What the results of steps are written by; a function without it takes none.
 */
export function within(
  entities: readonly Entity[],
  digest: Digest,
  uniqueOf: UniqueOf,
  writingOf?: (entity: Entity) => Writing,
): NonNullable<ReactOptions['within']> {
  const duplicates = duplicatesOf(entities, digest, uniqueOf);
  const declared = new Map(entities.map((entity) => [entity.name, entity] as const));
  return (site, record, reaction) => {
    if (reaction === SQL) return projectRecord(record.key);
    const entity = declared.get(entityOf(record.key));
    if (reaction === PURGE && entity !== undefined) return purgeRecord(site, entity, record);
    const steps = entity && own(entity.reactions, reaction)?.steps;
    if (entity === undefined || steps === undefined || writingOf === undefined)
      return settlement(site, record, reaction, duplicates);
    const attempt = (record.reactions?.[reaction]?.attempts ?? 0) + 1;
    const taken = steps(valuesOf(entity, record), { site, key: record.key, attempt });
    return stepsResult(entity, { reaction, steps: taken, writing: writingOf(entity) });
  };
}

/** What the steps of a reaction come to, as what it changes. */
function* stepsResult(
  entity: Entity,
  {
    reaction,
    steps,
    writing,
  }: {
    readonly reaction: string;
    readonly steps: StepsProtocol<FieldChanges | undefined>;
    readonly writing: Writing;
  },
): StepsProtocol<Result> {
  const changes = yield* steps;
  if (changes === undefined) return undefined;
  if (own(entity.reactions, reaction)?.site === 'every') throw changedEverywhere(reaction);
  return resultOf(entity, changes, writing);
}

function changedEverywhere(reaction: string): RuleFaultError {
  return new RuleFaultError(`${reaction} runs at every site and returned changes of the record`);
}

function duplicatesOf(entities: readonly Entity[], digest: Digest, uniqueOf: UniqueOf): Duplicates {
  const declaring = new Set(
    entities.filter(({ onDuplicate }) => onDuplicate !== undefined).map(({ name }) => name),
  );
  return { uniqueOf, digest, isDeclared: (entity) => declaring.has(entity) };
}

/** One field after the other; named by the value that was lost, so the same wherever it is marked. */
function lostCondition(
  { onDuplicate, unique }: Entity,
  key: string,
  state: RecordState,
  digest: Digest,
): Condition | undefined {
  const loss = onDuplicate && lossOf(state, unique);
  if (onDuplicate === undefined || loss === undefined) return undefined;
  const { site, atMs } = markedBy(loss);
  const text = JSON.stringify([key, ON_DUPLICATE, loss.field, loss.of]);
  return {
    reaction: ON_DUPLICATE,
    site: 'origin',
    origin: site,
    madeMs: atMs,
    canLookUp: onDuplicate.lookup !== undefined,
    effectId: `${ON_DUPLICATE}-${digest(text)}`,
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
    origin: originOf(reaction, record) ?? stampSite(newest),
    madeMs: stampMs(newest),
    // Steps ask for themselves whether they were taken.
    canLookUp: reaction.lookup !== undefined || reaction.steps !== undefined,
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

/** The site that a field of the record names. */
function originOf({ at }: Reaction, record: Values): SiteId | undefined {
  const named = at === undefined ? undefined : own(record, at);
  return typeof named === 'string' && named !== '' ? named : undefined;
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

/** What the results of reactions are written by. */
export interface Writing {
  /** False while a peer runs a release that writes objects as a whole. */
  readonly byMember: boolean;
  readonly check: FieldCheck;
}

export interface Running extends Writing {
  readonly site: string;
  readonly now: () => number;
  /** Ends a run that takes too long. */
  readonly signal: AbortSignal;
  readonly services: Services;
}

/** Does what the protocol asks for, by the declared code. @throws whatever that throws */
export async function runReaction(
  entities: readonly Entity[],
  effect: ReactionEffect,
  running: Running,
): Promise<Result | 'absent'> {
  const entity = entities.find(({ name }) => name === entityOf(effect.record.key));
  if (entity !== undefined && effect.reaction === ON_DUPLICATE)
    return runOnDuplicate(entity, effect, running);
  const reaction = entity && own(entity.reactions, effect.reaction);
  if (entity === undefined || reaction?.run === undefined) throw undeclared(effect);
  const context = contextOf(effect, running);
  const record = valuesOf(entity, effect.record);
  if (effect.call === 'lookUp') {
    const found = await reaction.lookup?.(record, context);
    return found === undefined ? 'absent' : resultOf(entity, found, running);
  }
  const changes = await reaction.run(record, context);
  if (changes === undefined) return undefined;
  if (reaction.site === 'every') throw changedEverywhere(effect.reaction);
  return resultOf(entity, changes, running);
}

/** What is done about a loss makes its condition false by itself. */
async function runOnDuplicate(
  entity: Entity,
  effect: ReactionEffect,
  running: Running,
): Promise<Result | 'absent'> {
  const { onDuplicate, unique } = entity;
  const loss = lossOf(effect.record.state, unique);
  if (onDuplicate === undefined || loss === undefined) throw undeclared(effect);
  const context = {
    ...contextOf(effect, running),
    field: loss.field,
    value: loss.value,
    winner: recordIdOf(entity, loss.to),
  };
  const loser = valuesOf(entity, effect.record);
  const changes =
    effect.call === 'lookUp'
      ? await onDuplicate.lookup?.(loser, context)
      : await onDuplicate.run(loser, context);
  if (effect.call === 'lookUp' && changes === undefined) return 'absent';
  return lostResult(entity, loss, changes ?? {}, running);
}

/** What was done for who lost a value, as what it changes: beside it that it was done. */
export function lostResult(
  entity: Entity,
  loss: Loss,
  changes: FieldChanges,
  running: Writing,
): NonNullable<Result> {
  const result = resultOf(entity, changes, running);
  return (current) => ({ ...result(current), ...settledLoss(current, loss) });
}

function undeclared({ record, reaction }: ReactionEffect): TypeError {
  return new TypeError(`${record.key}: no reaction ${reaction} is declared`);
}

function contextOf(effect: ReactionEffect, running: Running): ReactionContext {
  return {
    effectId: effect.effectId,
    now: new Date(running.now()),
    attempt: effect.attempt,
    fence: effect.fence,
    site: running.site,
    signal: running.signal,
    services: running.services,
  };
}

/** What a reaction returned, as what it changes of the record as it then is. */
export function resultOf(
  entity: Entity,
  changes: FieldChanges,
  { byMember, check }: Writing,
): NonNullable<Result> {
  return (current: StoredRecord) =>
    fieldChanges(entity, current, changes, { writer: 'reaction', byMember, check });
}
