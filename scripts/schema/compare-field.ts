/** What a field's change means for records that are there, for the other release beside it, and for callers. */
import { additive, backfill, breaking, type Changes, isSame, paired, shown } from './change.ts';
import { compareValues } from './compare-values.ts';
import type { EntityDescription, FieldDescription } from './describe.ts';

const VALUES_MEND =
  'release 1: have rules and callers keep to the narrower one, and correct what `schema check --site <url>` counts; release 2: narrow it';

export function* addedField(place: string, field: FieldDescription): Changes {
  if (field.required && field.default === undefined)
    yield breaking(
      place,
      'is new and required, and has no default: records that are there have none, and the older release creates more',
      'give it a `default`; or release 1: without `required`, and fill it; release 2: require it',
    );
  else if (field.unique)
    yield backfill(
      place,
      'is new and unique',
      'a value is reserved when it is written; sites of the older release reserve none: write it only when every site has this release',
    );
  else
    yield additive(
      place,
      field.default === undefined ? 'is new' : `is new; old records read ${shown(field.default)}`,
    );
}

export function* removedField(place: string, field: FieldDescription): Changes {
  const isLeft = field.deprecated === true && !field.required;
  if (isLeft)
    yield additive(
      place,
      'is gone, after a release that had it deprecated',
      'what records hold of it stays and is not shown',
    );
  else
    yield breaking(
      place,
      'is gone, and the older release still writes and shows it; a field under a new name is another field',
      'release 1: `deprecated: true`, not required, and no rule or caller writes or reads it; release 2: take it away',
    );
}

export function* compareField(place: string, before: FieldDescription, after: FieldDescription): Changes {
  yield* compareValues(place, before.schema, after.schema, { mend: VALUES_MEND });
  yield* compareMerge(place, before, after);
  yield* compareStates(place, before, after);
  yield* compareDefault(`${place}.default`, before, after);
  yield* compareRequired(`${place}.required`, before, after);
  yield* compareUnique(`${place}.unique`, before, after);
  yield* compareWriters(`${place}.by`, before, after);
  yield* compareReaders(`${place}.readableBy`, before, after);
  if (before.deprecated !== after.deprecated)
    yield additive(
      `${place}.deprecated`,
      after.deprecated === true
        ? 'is deprecated: the next release may take it away'
        : 'is not deprecated any more',
    );
}

/** Parts say by themselves how they merge, at every release (`policies/field.ts`); a rank is of those who write it. */
function* compareMerge(place: string, before: FieldDescription, after: FieldDescription): Changes {
  if (before.merge === after.merge) return;
  const what = `was a ${before.merge} and is a ${after.merge}`;
  if (before.merge === 'states' || after.merge === 'states')
    yield breaking(
      `${place}.merge`,
      `${what}: what one release writes has a rank, and what the other writes has none and loses against it`,
      'release 1: a new field beside it, written together with the old one; release 2: read the new one',
    );
  else
    yield additive(
      `${place}.merge`,
      what,
      'records keep what they mean; until every site has this release, the older one writes it as it did',
    );
}

function* compareStates(place: string, before: FieldDescription, after: FieldDescription): Changes {
  if (before.states === undefined || after.states === undefined) return;
  for (const [state, was, is] of paired(before.states.ranks, after.states.ranks)) {
    const at = `${place}.states.order.${state}`;
    if (was === is) continue;
    if (was === undefined)
      yield additive(at, `is new, with rank ${is}`, 'sites of the older release let no transition leave it');
    else if (is === undefined)
      yield breaking(
        at,
        'is gone: records and the older release hold it',
        'leave it in the order, with no transition to it; it can go when `schema check --site <url>` of a declaration without it counts none, at every site',
      );
    else
      yield breaking(
        at,
        `its rank was ${was} and is ${is}: the two releases would disagree about who wins`,
        `give it back by \`ranks: { ${state}: ${was} }\`, or give what was put before it a rank of its own between its neighbours`,
      );
  }
  const [passed, passing] = [before.states.passing ?? [], after.states.passing ?? []];
  if (!isSame(passed, passing))
    yield additive(
      `${place}.states.passing`,
      `was ${shown(passed)} and is ${shown(passing)}: reads that prefer to wait do so in other states`,
    );
  yield* compareTransitions(place, before.states.allowed, after.states.allowed);
}

type Transitions = Readonly<Record<string, readonly string[]>>;

function* compareTransitions(place: string, before: Transitions, after: Transitions): Changes {
  for (const [from, had = [], has = []] of paired(before, after)) {
    const at = `${place}.states.allowed.${from}`;
    const gone = had.filter((to) => !has.includes(to));
    const added = has.filter((to) => !had.includes(to));
    if (added.length > 0) yield additive(at, `may go to ${added.join(', ')} too`);
    if (gone.length > 0)
      yield additive(
        at,
        `may not go to ${gone.join(', ')} any more`,
        'sites of the older release still allow it, and by its rank it stands',
      );
  }
}

function* compareDefault(place: string, before: FieldDescription, after: FieldDescription): Changes {
  if (isSame(before.default, after.default)) return;
  const what = `was ${shown(before.default)} and is ${shown(after.default)}`;
  if (before.default === undefined)
    yield additive(
      place,
      what,
      'records without a value read it, in lists too once their index is filled anew',
    );
  else if (after.default === undefined)
    yield breaking(
      place,
      `${what}: old records have no value any more`,
      'release 1: keep it, and write it into records that have none; release 2: take it away',
    );
  else
    yield backfill(
      place,
      `${what}: old records read another value, at one site sooner than at the other`,
      'where the old one must stay, write it into records that have none before this release',
    );
}

function* compareRequired(place: string, before: FieldDescription, after: FieldDescription): Changes {
  if (before.required === after.required) return;
  if (!after.required)
    yield additive(place, 'may be missing now', 'rules of the older release may meet records without it');
  else if (after.default !== undefined)
    yield additive(place, `is required now; what has none reads ${shown(after.default)}`);
  else
    yield backfill(
      place,
      'is required now: records may be there without it, and creations without it are refused',
      'callers send it first; fill what `schema check --site <url>` counts, or give it a `default`',
    );
}

function* compareUnique(place: string, before: FieldDescription, after: FieldDescription): Changes {
  if (before.unique === after.unique) return;
  if (!after.unique) yield additive(place, 'two records may share a value now');
  else
    yield backfill(
      place,
      'is unique now: values of old records are not reserved, and two may share one',
      'correct what `schema check --site <url>` counts as shared; a value is reserved when a record gets it anew, so give each old record another one and its own back, or a new record may take it',
    );
}

function* compareWriters(place: string, before: FieldDescription, after: FieldDescription): Changes {
  const gone = before.by.filter((writer) => !after.by.includes(writer));
  const added = after.by.filter((writer) => !before.by.includes(writer));
  if (added.length > 0)
    yield additive(
      place,
      `${added.join(', ')} may write it too`,
      added.includes('creation') && !before.by.includes('client')
        ? 'the older release refuses it in creations: send it when every site has this one'
        : '',
    );
  if (gone.includes('client'))
    yield breaking(
      place,
      after.by.includes('creation')
        ? 'clients may not change it any more: their changes are refused'
        : 'clients may not write it any more: their calls are refused',
      'release 1: an action beside it, to which callers move; release 2: take the client away',
    );
  else if (gone.includes('creation') && !after.by.includes('client'))
    yield breaking(
      place,
      'creations may not have it any more: those that do are refused',
      'release 1: callers leave it out; release 2: take it away, and name its place with --allow-breaking',
    );
  else if (gone.some((writer) => writer !== 'creation'))
    yield additive(
      place,
      `${gone.filter((writer) => writer !== 'creation').join(', ')} may not write it any more`,
      'at sites of the older release they still do',
    );
}

function* compareReaders(place: string, before: FieldDescription, after: FieldDescription): Changes {
  if (isSame(before.readableBy, after.readableBy)) return;
  yield additive(
    place,
    `was ${shown(before.readableBy ?? 'everybody')} and is ${shown(after.readableBy ?? 'everybody')}`,
    'until every site has this release, the older one shows it as it did',
  );
}

/** Field by field. */
export function* compareFields(place: string, before: EntityDescription, after: EntityDescription): Changes {
  for (const [name, was, is] of paired(before.fields, after.fields)) {
    const at = `${place}.fields.${name}`;
    if (was === undefined && is !== undefined) yield* addedField(at, is);
    else if (was !== undefined && is === undefined) yield* removedField(at, was);
    else if (was !== undefined && is !== undefined) yield* compareField(at, was, is);
  }
}
