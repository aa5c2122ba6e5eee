/**
 * Where an action may be done again when nobody can say whether it was done: at its site alone, where its key is known at
 * once, or at another one as well.
 *
 * Invariant: what two sites have both done under one key comes to one effect. Until the record has crossed, the second site
 * decides on what the first one had before it, with another `now` and other ids. So this is proven where each field that the
 * action may write ends with one value of one of both runs, whatever the rule computes: plain registers, and states. An
 * increment counts at both; what is added to a set, or is a member of an object, may be named by a fresh id. And a reaction
 * that runs at the origin of those fields would run for each, unless `once` names its effect: by one name, whatever is in
 * the record, for what each run wrote there may be another.
 */
import { type Action, type Entity, isOneValue, policyOf, type Reaction, writersOf } from './entity.ts';

/** The fields that an action may write: those that it names, or all that actions write. */
export function writtenBy(entity: Entity, { writes }: Pick<Action, 'writes'>): readonly string[] {
  return writes ?? Object.keys(entity.fields).filter((field) => writersOf(entity, field).includes('action'));
}

/** As it is declared, or as it is proven. */
export function repeatOfAction(entity: Entity, action: Action): 'elsewhere' | 'here' {
  if (action.repeat !== undefined) return action.repeat;
  const fields = writtenBy(entity, action);
  const isProven =
    fields.every((field) => isOneValue(entity, field)) &&
    reactedTo(entity, fields, (once) => once?.length === 0).length === 0;
  return isProven ? 'elsewhere' : 'here';
}

/** Why an action that says `elsewhere` contradicts itself. */
export function countedTwice(entity: Entity, action: Action): readonly string[] {
  const fields = writtenBy(entity, action);
  return [
    ...fields
      .filter((field) => policyOf(entity, field) === 'counter')
      .map((field) => `${field} is a counter, which counts what both sites do`),
    ...reactedTo(entity, fields, (once) => once !== undefined).map(
      (reaction) => `the reaction ${reaction} runs for both, without \`once\``,
    ),
  ];
}

/** @param isOne Whether what names the effect gives it one name. */
function reactedTo(
  { reactions }: Entity,
  fields: readonly string[],
  isOne: (once: Reaction['once']) => boolean,
): readonly string[] {
  return Object.entries(reactions)
    .filter(
      ([, { on, site, once }]) =>
        site === 'origin' && !isOne(once) && on.some((field) => fields.includes(field)),
    )
    .map(([name]) => name);
}
