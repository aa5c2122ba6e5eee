/**
 * What a release changes of the one before, each difference with its class and its mend. Pure.
 *
 * Invariant: every difference of two descriptions is in it, so that none passes without a class; equal ones have none.
 */
import {
  additive,
  backfill,
  breaking,
  type Changes,
  isSame,
  paired,
  type SchemaChange,
  shown,
} from './change.ts';
import { compareFields } from './compare-field.ts';
import { compareInput } from './compare-input.ts';
import { compareRoutes } from './compare-routes.ts';
import type {
  ActionDescription,
  EntityDescription,
  IndexDescription,
  ReactionDescription,
  SchemaDescription,
} from './describe.ts';

/** In the order of their places. */
export function schemaChanges(before: SchemaDescription, after: SchemaDescription): readonly SchemaChange[] {
  return [...changesOf(before, after)];
}

function* changesOf(before: SchemaDescription, after: SchemaDescription): Changes {
  for (const [name, was, is] of paired(before.entities, after.entities)) {
    if (was === undefined) yield additive(name, 'is new');
    else if (is === undefined)
      yield breaking(
        name,
        'is gone, and its records stay; under another name it is another entity, because the name begins every key',
        'release 1: let callers move (to a new entity beside it), and delete its records; release 2: take it away',
      );
    else yield* compareEntity(name, was, is);
  }
  yield* compareRoutes(before.routes, after.routes ?? {});
}

function* compareEntity(name: string, before: EntityDescription, after: EntityDescription): Changes {
  yield* compareNames(name, before, after);
  yield* compareAccess(name, before, after);
  yield* compareSites(`${name}.sites`, before, after);
  yield* compareWrites(`${name}.writes`, before, after);
  yield* compareRemovable(`${name}.removable`, before.removable, after.removable);
  yield* compareIds(`${name}.ids`, before.ids, after.ids);
  yield* compareFields(name, before, after);
  for (const [index, was, is] of paired(before.indexes, after.indexes))
    yield* compareIndex(`${name}.indexes.${index}`, was, is, Object.entries(after.indexes));
  for (const [action, was, is] of paired(before.actions, after.actions))
    yield* compareAction(`${name}.actions.${action}`, was, is);
  for (const [reaction, was, is] of paired(before.reactions, after.reactions))
    yield* compareReaction(`${name}.reactions.${reaction}`, was, is);
  yield* compareContent(`${name}.content`, before.content, after.content);
}

const PATH_MEND =
  'release 1: keep the old path as it is, and let callers move to a new entity or an alias; release 2: take it away';

function* compareNames(name: string, before: EntityDescription, after: EntityDescription): Changes {
  if (before.collection !== after.collection)
    yield breaking(
      `${name}.collection`,
      `its path was /${before.collection} and is /${after.collection}`,
      `leave it, and have /${after.collection} as one of its aliases`,
    );
  if (before.idField !== after.idField)
    yield breaking(
      `${name}.idField`,
      `was ${before.idField} and is ${after.idField}: callers and the older release know the id by the old one`,
      'leave it; or a new entity beside this one, to which callers move',
    );
  for (const alias of before.aliases)
    if (!after.aliases.includes(alias)) yield breaking(`${name}.aliases`, `${alias} is gone`, PATH_MEND);
  for (const alias of after.aliases)
    if (!before.aliases.includes(alias)) yield additive(`${name}.aliases`, `${alias} is new`);
}

function* compareAccess(name: string, before: EntityDescription, after: EntityDescription): Changes {
  const [was, is] = [before.access, after.access];
  if (was.tenant !== is.tenant)
    yield breaking(
      `${name}.access.tenant`,
      `was ${shown(was.tenant)} and is ${shown(is.tenant)}: the tenant is part of every key`,
      'a new entity beside this one, into which its records are copied; then take this one away',
    );
  if (was.owner !== is.owner)
    yield breaking(
      `${name}.access.owner`,
      `was ${shown(was.owner)} and is ${shown(is.owner)}: old records, and those of the older release, have another owner or none`,
      'a new entity with the owner beside this one, into which its records are copied; then take this one away',
    );
  if (was.read !== is.read) {
    const what = `was ${shown(was.read ?? 'tandem/read')} and is ${shown(is.read ?? 'tandem/read')}`;
    if (is.read === 'everybody') yield additive(`${name}.access.read`, what);
    else yield breaking(`${name}.access.read`, what, 'first have every reader send a token with that scope');
  }
  if (was.write !== is.write)
    yield breaking(
      `${name}.access.write`,
      `was ${shown(was.write ?? 'tandem/write')} and is ${shown(is.write ?? 'tandem/write')}`,
      'first give the new scope to whoever writes these records',
    );
}

const REMOVED =
  'a site that keeps them no longer removes its records by itself, each once a site that does keep it holds it, and from two hours after it was deployed: see `sites` in the page about where data lives for what it leaves (dead letters, backups, logs)';

const CLAIMED_ANEW =
  'Unique values are claimed anew, and where: give each old record another value and its own back, or a new one may take the same';

/** Every site that kept the records has some; one that is to keep them gets them by the hourly comparison. */
function* compareSites(place: string, before: EntityDescription, after: EntityDescription): Changes {
  if (isSame(before.sites, after.sites)) return;
  const what = `was ${shown(before.sites ?? 'every site')} and is ${shown(after.sites ?? 'every site')}`;
  const [had, has] = [before.sites ?? after.sites ?? [], after.sites ?? before.sites ?? []];
  const isFilled = before.sites === undefined || has.some((site) => had.includes(site));
  const isAnyUnique = Object.values(after.fields).some(({ unique }) => unique);
  if (!isFilled)
    yield breaking(
      place,
      `${what}: no site that kept the records keeps them on`,
      'release 1: both, the old ones and the new ones; wait until `compare` finds no difference; release 2: without the old ones',
    );
  else if (before.sites === undefined || had.some((site) => !has.includes(site)))
    yield backfill(
      place,
      what,
      before.sites === undefined && isAnyUnique ? `${REMOVED}. ${CLAIMED_ANEW}` : REMOVED,
    );
  // A reservation is named otherwise where every site keeps it.
  else if (after.sites === undefined && isAnyUnique) yield backfill(place, what, CLAIMED_ANEW);
  else
    yield additive(
      place,
      what,
      'a new one is filled by the hourly comparison, or by `repair`; until that finds no difference it answers 404 for what has not come, and one that has kept these records before must take no writes of them: see `sites` in the page about where data lives',
    );
}

function* compareWrites(place: string, before: EntityDescription, after: EntityDescription): Changes {
  if (before.writes === after.writes) return;
  const what = `was ${shown(before.writes ?? 'every site')} and is ${shown(after.writes ?? 'every site')}`;
  if (after.writes === undefined) yield additive(place, what, 'two sites may write one record again');
  else if (before.writes === undefined)
    yield backfill(
      place,
      what,
      'until every site has this release, those of the older one take writes as before: rules that need one writing site hold from then on',
    );
  else
    yield breaking(
      place,
      `${what}: beside the older release two sites would write`,
      'leave it, and use `promote`: who writes is in a record, and the declaration counts only where there is none',
    );
}

function* compareRemovable(
  place: string,
  before: EntityDescription['removable'],
  after: EntityDescription['removable'],
): Changes {
  if (before === after) return;
  if (after === undefined)
    yield additive(place, 'callers may delete its records', 'at sites of the older release it is 405');
  else
    yield breaking(
      place,
      'callers may not delete its records any more: it is 405, and a custom route that does fails',
      'release 1: callers stop, or an action beside it, to which they move; release 2: declare it, and name its place with --allow-breaking',
    );
}

function* compareIds(
  place: string,
  before: EntityDescription['ids'],
  after: EntityDescription['ids'],
): Changes {
  if (isSame(before, after)) return;
  const what = `was ${shown(before ?? 'chosen, or made by the site')} and is ${shown(after ?? 'chosen, or made by the site')}`;
  if (before === undefined)
    yield breaking(
      place,
      `${what}: creations that choose an id, or whose key is no UUID of version 7, are refused`,
      'release 1: callers choose no ids, and send such keys; release 2: declare it, and name its place with --allow-breaking. Records that are there keep their ids',
    );
  else if (after === undefined)
    yield additive(
      place,
      what,
      'until every site has this release, the older one refuses what has no such key',
    );
  else if (after.withinMs < before.withinMs)
    yield breaking(
      `${place}.withinMs`,
      `was ${before.withinMs} and is ${after.withinMs}: repeats that were taken are refused`,
      'release 1: callers give up sooner; release 2: lower it, and name its place with --allow-breaking',
    );
  else
    yield additive(
      `${place}.withinMs`,
      `was ${before.withinMs} and is ${after.withinMs}`,
      'whatever is done for a record must not be forgotten sooner',
    );
}

/** What callers upload, and what is there: that both releases fetch it follows from the fields. */
function* compareContent(place: string, before: Content, after: Content): Changes {
  if (after === undefined) {
    if (before !== undefined)
      yield breaking(
        place,
        'is gone: nobody can read the bytes of its records, and nobody fetches what a site lacks',
        'release 1: let callers move, and delete the records; wait until an inventory has removed their bytes; release 2: take it away',
      );
    return;
  }
  if (before === undefined) {
    yield additive(
      place,
      'is new',
      'a site of the older release takes no uploads and fetches nothing until it has this one',
    );
    return;
  }
  const takesAll = (types: readonly string[]): boolean => types.length === 0;
  const isNarrower =
    !takesAll(after.types) &&
    (takesAll(before.types) || before.types.some((type) => !after.types.includes(type)));
  if (isNarrower)
    yield breaking(
      `${place}.types`,
      `was ${shown(before.types)} and is ${shown(after.types)}: callers that send what it took are refused`,
      'release 1: let callers stop; release 2: take it away, and name its place with --allow-breaking',
    );
  else if (!isSame(before.types, after.types))
    yield additive(`${place}.types`, `was ${shown(before.types)} and is ${shown(after.types)}`);
  if (after.bytesMax < before.bytesMax)
    yield breaking(
      `${place}.bytesMax`,
      `was ${before.bytesMax} and is ${after.bytesMax}: callers that send what it took are refused`,
      'release 1: let callers stop; release 2: lower it, and name its place with --allow-breaking',
    );
  else if (after.bytesMax > before.bytesMax)
    yield additive(`${place}.bytesMax`, `was ${before.bytesMax} and is ${after.bytesMax}`);
  if (before.required !== after.required)
    yield after.required
      ? breaking(
          `${place}.required`,
          'is new: records without content are deleted a week after they were written',
          'release 1: give each of them content, or delete it; release 2: say it, and name its place with --allow-breaking',
        )
      : additive(`${place}.required`, 'is gone: records may be without content');
  if (!isSame(before.fetch, after.fetch))
    yield additive(`${place}.fetch`, `was ${shown(before.fetch)} and is ${shown(after.fetch)}`);
  if (!isSame(before.quota, after.quota))
    yield additive(
      `${place}.quota`,
      `was ${shown(before.quota)} and is ${shown(after.quota)}`,
      'who has more than that keeps it, and can add nothing; an account that is new counts from the next inventory on',
    );
}

type Content = EntityDescription['content'];

const FILLED = 'is filled while live; its list is 503 until every site has it (`tandem status`)';

function* compareIndex(
  place: string,
  before: IndexDescription | undefined,
  after: IndexDescription | undefined,
  others: readonly (readonly [string, IndexDescription])[],
): Changes {
  if (before === undefined) yield additive(place, 'is new', FILLED);
  else if (after === undefined) yield* lostIndex(place, 'is gone', before, others);
  else if (before.on !== after.on || before.order !== after.order)
    yield* lostIndex(place, `was ${shown(before)} and is ${shown(after)}`, before, others);
  else if (!isSame(before, after))
    yield additive(
      place,
      `was ${shown(before)} and is ${shown(after)}: it is another index`,
      `${FILLED}; declare it under a name of its own to have the old one until then`,
    );
}

/** Lists by an index that is not there any more go on by another one on its field, if there is one, in the order of that. */
function* lostIndex(
  place: string,
  what: string,
  before: IndexDescription,
  others: readonly (readonly [string, IndexDescription])[],
): Changes {
  const lost = 'and the older release serves them by entries that nobody keeps';
  const [name, heir] = others.find(([, { on }]) => on === before.on) ?? [];
  if (name !== undefined && heir?.order === before.order) {
    yield additive(
      place,
      `${what}: ${name} lists by ${before.on} now, in the same order`,
      `${name} ${FILLED}`,
    );
    return;
  }
  yield breaking(
    place,
    heir === undefined
      ? `${what}: queries by ${before.on} are refused, ${lost}`
      : `${what}: ${name} lists by ${before.on} now, in the order of ${heir.order}, ranges of ${before.order} are refused, ${lost}`,
    `release 1: ${heir === undefined ? '' : `declare it, { on: '${before.on}', order: '${before.order}' }, before the others on ${before.on}; `}callers stop asking by it; release 2: take it away, and name its place with --allow-breaking`,
  );
}

function* compareAction(
  place: string,
  before: ActionDescription | undefined,
  after: ActionDescription | undefined,
): Changes {
  const mend =
    'release 1: an action beside it, to which callers move; release 2: take the old one away, and name its place with --allow-breaking';
  if (before === undefined) yield additive(place, 'is new', 'at sites of the older release it is 404');
  else if (after === undefined) yield breaking(place, 'is gone: callers of it get 404', mend);
  else yield* compareInput(place, before, after, mend);
}

function* compareReaction(
  place: string,
  before: ReactionDescription | undefined,
  after: ReactionDescription | undefined,
): Changes {
  if (before === undefined)
    yield additive(
      place,
      'is new',
      'it does not run for old records unless `tandem reactions backfill` asks for it',
    );
  else if (after === undefined)
    yield breaking(
      place,
      'is gone: what it still has to do is never done',
      'release 1: a condition that is false for what is new; release 2, when nothing waits for it: take it away, and name its place with --allow-breaking',
    );
  else {
    const isNamedAlike = isSame(before.on, after.on) && before.once === after.once;
    if (!isNamedAlike || before.site !== after.site || before.at !== after.at)
      yield breaking(
        place,
        `was ${shown(before)} and is ${shown(after)}: its effects have other names, so that one that was done may be done again`,
        'a reaction under a new name, whose condition is false for what the old one did; then take the old one away',
      );
    if (after.version > before.version)
      yield backfill(
        `${place}.version`,
        `was ${before.version} and is ${after.version}: records that were done are reacted to again`,
        'when every site has this release: `tandem reactions backfill`, once per site',
      );
    else if (after.version < before.version)
      yield breaking(
        `${place}.version`,
        `was ${before.version} and is ${after.version}: effects get names that were used`,
        `leave it at ${before.version}, or raise it`,
      );
  }
}
