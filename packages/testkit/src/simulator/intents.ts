/**
 * What an operation means to do to a field: in the product's terms for the protocol, and in plain ones for the checkers.
 */
import type { Json } from '@tandem-clouds/replication/json';
import type { Changes } from '@tandem-clouds/replication/local-write';
import { increment } from '@tandem-clouds/replication/policies/counter';
import type { FieldOperation } from '@tandem-clouds/replication/policies/field';
import { owned } from '@tandem-clouds/replication/policies/owned';
import { change, replace, start } from '@tandem-clouds/replication/policies/set';
import { plainValues, type StoredRecord } from '@tandem-clouds/replication/record';
import { transition } from '../../../../src/shared/domain/states.ts';
import type { Meant } from '../history/facts.ts';

export type Intent =
  | { readonly kind: 'write'; readonly value: Json }
  | { readonly kind: 'change'; readonly add: readonly string[]; readonly remove: readonly string[] }
  | { readonly kind: 'replace'; readonly elements: readonly string[] }
  | { readonly kind: 'start'; readonly elements: readonly string[] }
  | { readonly kind: 'increment'; readonly by: number }
  /** To this state, if the declaration allows it from the one that the record shows; else the field is left alone. */
  | { readonly kind: 'walk'; readonly to: State }
  /** Under this rank, or that of the owner now if it is higher. */
  | { readonly kind: 'own'; readonly rank: string; readonly value: Json };

/** What a field of the load walks through: forks, so that sites part. */
export const STATES = ['asked', 'granted', 'refused', 'settled'] as const;
export type State = (typeof STATES)[number];
const ALLOWED: Readonly<Record<string, readonly State[]>> = {
  asked: ['granted', 'refused'],
  granted: ['refused', 'settled'],
  refused: ['settled'],
};
/** As they must be; the product's code is not asked. */
const RANKS: Readonly<Record<State, string>> = {
  asked: '001000',
  granted: '002000',
  refused: '003000',
  settled: '004000',
};

/** The state that a record shows; the first where it has none. */
function stateShown(basis: StoredRecord | undefined, field: string): Json {
  return (basis && plainValues(basis.state)[field]) ?? STATES[0];
}

function mayWalk(from: Json, to: State): boolean {
  return typeof from === 'string' && ALLOWED[from]?.includes(to) === true;
}

/** What an operation decided: the changes for the protocol, and what they mean for the checkers. */
export interface Decision {
  readonly changes: Changes;
  /** Field → the value that it is to have as a whole. */
  readonly fields: Readonly<Record<string, Json>>;
  readonly meant: Readonly<Record<string, Meant>>;
}

/** Decides on a record as it is. `resets` are fields that the product's own rules set beside, such as a tombstone. */
export function decideOn(
  basis: StoredRecord | undefined,
  intents: Readonly<Record<string, Intent>>,
  resets: Changes = {},
): Decision {
  const changes: Record<string, Json | FieldOperation> = { ...resets };
  const fields: Record<string, Json> = {};
  const meant: Record<string, Meant> = {};
  for (const [field, value] of Object.entries(resets)) if (typeof value !== 'function') fields[field] = value;
  for (const [field, intent] of Object.entries(intents)) {
    if (intent.kind === 'walk' && !mayWalk(stateShown(basis, field), intent.to)) continue;
    const rank = basis?.state.fields[field]?.[2] ?? '';
    changes[field] = changeOf(intent, { field, rank, from: stateShown(basis, field) });
    Reflect.deleteProperty(fields, field);
    const { whole, ...policy } = meaningOf(intent, rank, shown(basis, field), written(basis, field));
    if (whole !== undefined) fields[field] = whole;
    if (Object.keys(policy).length > 0) meant[field] = policy;
  }
  return { changes, fields, meant };
}

/** What a creation that begins no life of its own sets beside its fields, over a record that is gone or was never here. */
export function resetsOf(basis: StoredRecord | undefined): Readonly<Record<string, Json>> {
  const { fields = {}, sets = {}, counters = {} } = basis?.state ?? {};
  const names = [...Object.keys(fields), ...Object.keys(sets), ...Object.keys(counters)];
  return { ...Object.fromEntries(names.map((name) => [name, null])), $deleted: false };
}

function changeOf(
  intent: Intent,
  { field, rank, from }: { readonly field: string; readonly rank: string; readonly from: Json },
): Json | FieldOperation {
  switch (intent.kind) {
    case 'write':
      return intent.value;
    case 'change':
      return change(intent);
    case 'replace':
      return replace(intent.elements);
    case 'start':
      return start(intent.elements);
    case 'increment':
      return increment(intent.by);
    case 'walk':
      return transition(field, { order: STATES, allowed: ALLOWED }, { from, to: intent.to }) ?? from;
    case 'own':
      return owned(intent.rank < rank ? rank : intent.rank, intent.value);
  }
}

/**
 * `list` is the list that the record shows, `register` the one that was last written as a whole: a removal from it
 * writes it anew.
 */
function meaningOf(
  intent: Intent,
  rank: string,
  list: readonly Json[],
  register: readonly Json[],
): Meant & { readonly whole?: Json } {
  switch (intent.kind) {
    case 'write':
      return { whole: intent.value };
    case 'change':
      return changing(intent.add, intent.remove, register);
    case 'replace': {
      const add = intent.elements.filter((element) => !list.includes(element));
      const remove = list.filter((element) => !(intent.elements as readonly Json[]).includes(element));
      return changing(add, remove, register);
    }
    case 'start':
      return { whole: [], add: intent.elements };
    case 'increment':
      return { by: intent.by };
    case 'walk': {
      const own = RANKS[intent.to];
      return { whole: intent.to, rank: own < rank ? rank : own, keepsRest: true };
    }
    case 'own':
      return { whole: intent.value, rank: intent.rank < rank ? rank : intent.rank, keepsRest: true };
  }
}

function changing(
  add: readonly Json[],
  remove: readonly Json[],
  register: readonly Json[],
): Meant & { readonly whole?: Json } {
  const left = register.filter((element) => !remove.includes(element) && !add.includes(element));
  return { add, remove, ...(left.length < register.length && { whole: left, keepsRest: true }) };
}

function shown(basis: StoredRecord | undefined, field: string): readonly Json[] {
  const value = basis && plainValues(basis.state)[field];
  return Array.isArray(value) ? (value as Json[]) : [];
}

function written(basis: StoredRecord | undefined, field: string): readonly Json[] {
  const value = basis?.state.fields[field]?.[1];
  return Array.isArray(value) ? (value as Json[]) : [];
}
