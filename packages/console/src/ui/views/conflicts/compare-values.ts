/** Two values beside each other, member by member where both are objects. Pure. */

export interface Compared {
  /** Of the member; empty: the value as a whole. */
  readonly name: string;
  readonly loser: unknown;
  readonly winner: unknown;
  readonly isEqual: boolean;
}

/** Those that differ come first. A member that one of the two has not is undefined there. */
export function compareValues(loser: unknown, winner: unknown): readonly Compared[] {
  if (!isObject(loser) || !isObject(winner)) return [row('', loser, winner)];
  const names = [...new Set([...Object.keys(loser), ...Object.keys(winner)])];
  const rows = names.map((name) => row(name, memberOf(loser, name), memberOf(winner, name)));
  return [...rows.filter(({ isEqual }) => !isEqual), ...rows.filter(({ isEqual }) => isEqual)];
}

/** Why the winner won, in a sentence. */
export function reasonText(reason: string): string {
  switch (reason) {
    case 'newer':
      return 'The one that won was written later.';
    case 'higher rank':
      return 'The state that won comes later in the order of states, which stands whatever the clocks say.';
    case 'earlier life':
      return 'The one that lost was written to an earlier life of the record, which was deleted and created again.';
    default:
      return `The reason: ${reason}.`;
  }
}

/** What is to be known of an override where it does more, or less, than to set a field; empty: nothing. */
export function effectText(field: string): string {
  if (field !== '$deleted') return '';
  return 'The field says whether the record is deleted. To override it changes that only: a delete has emptied the other fields.';
}

function row(name: string, loser: unknown, winner: unknown): Compared {
  return { name, loser, winner, isEqual: JSON.stringify(loser) === JSON.stringify(winner) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function memberOf(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}
