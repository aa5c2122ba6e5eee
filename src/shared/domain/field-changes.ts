/**
 * From changes in the terms of the fields' policies to what the protocol writes: the one way by which clients, actions
 * and reactions write fields. Pure.
 *
 * Invariant: nobody writes a field that is declared for others, a transition is one that is allowed, and what a field
 * holds afterwards keeps the rules of its schema; or an error says which field and which rule, and nothing is written.
 */
import type { Json } from '@tandem-clouds/replication/json';
import type { Changes } from '@tandem-clouds/replication/local-write';
import { own } from '@tandem-clouds/replication/own';
import { increment } from '@tandem-clouds/replication/policies/counter';
import { type FieldOperation, type FieldParts, fieldValue } from '@tandem-clouds/replication/policies/field';
import {
  isObject,
  memberChanges,
  memberField,
  mergePatch,
} from '@tandem-clouds/replication/policies/members';
import { write } from '@tandem-clouds/replication/policies/register';
import { change, replace, start } from '@tandem-clouds/replication/policies/set';
import {
  membersOf,
  partsOf,
  plainValues,
  type RecordState,
  type StoredRecord,
  withParts,
} from '@tandem-clouds/replication/record';
import { stampSite } from '@tandem-clouds/replication/stamp';
import { ConflictError, type Failure, InvalidError, OutOfBoundsError, RuleFaultError } from '../errors.ts';
import {
  defaultOf,
  type Entity,
  type FieldChanges,
  isOneValue,
  mergesByMember,
  policyOf,
  recordIdOf,
  type States,
  type Writer,
  writersOf,
} from './entity.ts';
import type { FieldCheck } from './field-check.ts';
import { valueMistake } from './rule-values.ts';
import { begin, firstState, transition } from './states.ts';

export interface FieldWriting {
  readonly writer: Writer;
  /** Names the rule in an error about it: `booking.confirm`. */
  readonly rule?: string;
  /** The fields that the rule may write, where that is not all of its writer. */
  readonly writes?: readonly string[] | undefined;
  /** False while a peer runs a release that writes objects as a whole: then so does this one. */
  readonly byMember: boolean;
  readonly check: FieldCheck;
}

/**
 * What a change does to a record of an entity. Fields that are undefined are left alone; a state that is there already
 * is no change.
 * @param values Of clients: valid by the schema of a change. Of actions and reactions: anything that they returned.
 * @throws InvalidError when a client names a field that others write
 * @throws RuleFaultError when an action or a reaction does, or returns what its fields never take
 * @throws OutOfBoundsError when a transition is not allowed, or what is there and the change together break a rule
 */
export function fieldChanges(
  entity: Entity,
  record: StoredRecord,
  values: FieldChanges,
  writing: FieldWriting,
): Changes {
  const given = Object.entries(values).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  if (writing.writer === 'client') refuseClient(writersMistakes(entity, given, 'client'));
  else refuseRule(entity, writing, given);
  const changes = operations(entity, record.state, given, writing.byMember);
  checkResult(entity, record.state, { changes, touched: given.map(([field]) => field), writing });
  return changes;
}

/**
 * What a creation sets: every field, so that what another site holds of an earlier life of the id cannot show through
 * either. Where the id follows from the name, as of what has content, or from the request (`isKeyed`), only those that are given:
 * two sites that have not heard of each other make one record, and the second must not take away what was done at the first.
 */
export function initialChanges(
  entity: Entity,
  values: Readonly<Record<string, Json>>,
  { isKeyed = false }: { readonly isKeyed?: boolean } = {},
): Changes {
  const leavesRest = isKeyed || entity.content !== undefined;
  const changes: Record<string, Json | FieldOperation> = {};
  for (const field of Object.keys(entity.fields)) {
    const states = own(entity.states, field);
    if (leavesRest && states === undefined && !Object.hasOwn(values, field)) continue;
    const value = own(values, field) ?? emptyValue(entity, field) ?? null;
    if (states !== undefined) changes[field] = begin(states);
    else changes[field] = policyOf(entity, field) === 'set' ? start(value as readonly Json[]) : value;
  }
  return changes;
}

/**
 * The record as rules and reactions see it: its id, its fields, and when it was created. Sets, counters, states and
 * fields with a default are there also where nothing was written yet.
 */
export function valuesOf(entity: Entity, { key, state }: StoredRecord): Record<string, Json> {
  const stored = plainValues(state);
  const values: Record<string, Json> = { id: recordIdOf(entity, key) };
  for (const field of [...Object.keys(entity.fields), 'createdAt']) {
    const value = own(stored, field) ?? emptyValue(entity, field);
    if (value !== undefined) values[field] = value;
  }
  return values;
}

/** Whether a change may write members of objects one by one: then it matters whether every peer understands that. */
export function hasMembers(entity: Entity): boolean {
  return Object.keys(entity.fields).some((field) => mergesByMember(entity, field));
}

/** Who writes a field, for a person: `is written by actions and reactions`. */
function writersSentence(entity: Entity, field: string): string {
  const writers = writersOf(entity, field).map((writer) => `${writer}s`);
  return `is written by ${writers.join(' and ')}`;
}

/** Why a field is refused of a writer, for a person: `is written by creations, not by changes`. */
export function writerMistake(entity: Entity, field: string, writer: Writer): string {
  // Whoever creates a record is a client, too.
  const isChange = writer === 'client' && writersOf(entity, field).includes('creation');
  return `${writersSentence(entity, field)}, not by ${isChange ? 'changes' : `${writer}s`}`;
}

/** What a field shows that holds nothing. */
function emptyValue(entity: Entity, field: string): Json | undefined {
  switch (policyOf(entity, field)) {
    case 'set':
      return [];
    case 'counter':
      return 0;
    case 'states':
      return firstState(statesOf(entity, field));
    case 'register':
    case 'whole':
      return defaultOf(entity, field);
  }
}

function statesOf({ states }: Entity, field: string): States {
  return own(states, field) ?? { order: [], allowed: {} };
}

type Given = readonly (readonly [string, Json])[];

function writersMistakes(entity: Entity, given: Given, writer: Writer): readonly Failure[] {
  return given.flatMap(([field]) => {
    if (!Object.hasOwn(entity.fields, field))
      return [{ pointer: `/${field}`, rule: 'additionalProperties', detail: 'is not a known field' }];
    if (writersOf(entity, field).includes(writer)) return [];
    return [{ pointer: `/${field}`, rule: 'by', detail: writerMistake(entity, field, writer) }];
  });
}

function refuseClient(failures: readonly Failure[]): void {
  if (failures.length > 0) throw new InvalidError('the change names fields that others write', failures);
}

/** @throws RuleFaultError that names every field that is not the writer's, or whose value its schema never takes */
function refuseRule(entity: Entity, { writer, rule, writes, check }: FieldWriting, given: Given): void {
  const undeclared = given.filter(([field]) => writes?.includes(field) === false);
  const failures = [
    ...writersMistakes(entity, given, writer),
    ...undeclared.map(([field]) => ({
      pointer: `/${field}`,
      rule: 'writes',
      detail: 'is not among what its declaration says that it writes',
    })),
  ];
  if (failures.length === 0)
    for (const [field, value] of given) failures.push(...valueMistake(entity, field, { value, check }));
  if (failures.length === 0 && writer === 'reaction') failures.push(...unreserved(entity, given));
  if (failures.length > 0) throw fault(rule, failures);
}

/** A reaction may take away a value that is to be unique: it claims none, so it gives none. */
function unreserved({ unique }: Entity, given: Given): readonly Failure[] {
  return given.flatMap(([field, value]) =>
    unique.includes(field) && value !== null
      ? [{ pointer: `/${field}`, rule: 'unique', detail: 'is unique, and a reaction may only take it away' }]
      : [],
  );
}

function fault(rule: string | undefined, failures: readonly Failure[]): RuleFaultError {
  const all = failures.map(({ pointer, detail }) => `${pointer.slice(1)} ${detail}`).join('; ');
  return new RuleFaultError(`the rule ${rule ?? ''} returned what it may not: ${all}`);
}

function operations(entity: Entity, state: RecordState, given: Given, byMember: boolean): Changes {
  const changes: Record<string, Json | FieldOperation> = {};
  const shown = plainValues(state);
  const members = membersOf(state);
  for (const [field, value] of given) {
    if (!mergesByMember(entity, field)) {
      const operation = operationOf(entity, field, { value, shown: own(shown, field) });
      if (operation !== undefined) changes[field] = operation;
    } else if (byMember && isObject(value)) {
      Object.assign(changes, memberChanges(field, shown[field], value));
    } else {
      const whole = isObject(value) ? mergePatch(shown[field], value) : value;
      changes[field] = whole;
      // With registers of the same write, a change of such a member elsewhere is a conflict that is logged.
      for (const member of members.get(field)?.keys() ?? [])
        changes[memberField(field, member)] = (isObject(whole) ? own(whole, member) : undefined) ?? null;
    }
  }
  return changes;
}

/** What a value, whose shape is known to be right, does to a field; undefined: nothing. */
function operationOf(
  entity: Entity,
  field: string,
  { value, shown }: { readonly value: Json; readonly shown: Json | undefined },
): Json | FieldOperation | undefined {
  switch (policyOf(entity, field)) {
    case 'set':
      if (value === null) return replace([]);
      return Array.isArray(value) ? replace(value) : change(value as { add?: Json[]; remove?: Json[] });
    case 'counter':
      return count(field, (value as { increment: number }).increment);
    case 'states':
      return transition(field, statesOf(entity, field), { from: shown, to: value as string });
    case 'register':
    case 'whole':
      return value;
  }
}

/** An increment of what is there. @throws ConflictError when the sum cannot be counted exactly. */
function count(field: string, by: number): FieldOperation {
  return (parts, at) => {
    try {
      const counted = increment(by)(parts, at);
      if (Number.isSafeInteger(fieldValue(counted))) return counted;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    throw new ConflictError(
      `${field} cannot be incremented by ${by}: the sum would be beyond ${Number.MAX_SAFE_INTEGER}, ` +
        'up to which numbers are exact',
    );
  };
}

/** Later than every stamp: of a change that is only tried. */
const LATEST = 'zzzzzzzzzzzzz.x';

interface Trial {
  readonly changes: Changes;
  readonly touched: readonly string[];
  readonly writing: FieldWriting;
}

/**
 * That a change is valid says nothing of what it makes of what is there.
 * @throws OutOfBoundsError when a field would break a rule of its schema @throws RuleFaultError when a rule chose the value
 */
function checkResult(entity: Entity, state: RecordState, { changes, touched, writing }: Trial): void {
  const parts: Record<string, FieldParts> = {};
  for (const [name, each] of Object.entries(changes)) {
    const operation = typeof each === 'function' ? each : write(each);
    parts[name] = operation(partsOf(state, name), { stamp: LATEST, site: stampSite(LATEST) });
  }
  const values = plainValues(withParts(state, parts, state.vector));
  const result = Object.fromEntries(
    touched.flatMap((field) => (values[field] === undefined ? [] : [[field, values[field]]])),
  );
  const failures = writing.check(result);
  if (failures.length === 0) return;
  const chosen = failures.filter(({ pointer }) => isOneValue(entity, pointer.split('/')[1] ?? ''));
  if (writing.writer !== 'client' && chosen.length > 0) throw fault(writing.rule, chosen);
  const names = touched.join(', ');
  throw new OutOfBoundsError(`with what is there now, the change of ${names} breaks a rule`, failures);
}
