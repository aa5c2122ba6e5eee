/** What a release changes of the custom routes of the one before, for their callers. Nothing that is stored depends on them. */
import { additive, breaking, type Changes, isSame, paired, shown } from './change.ts';
import { compareInput } from './compare-input.ts';
import { compareValues } from './compare-values.ts';
import type { OutputDescription, RouteDescription } from './describe.ts';

type Routes = Readonly<Record<string, RouteDescription>>;

const MEND =
  'release 1: a route beside it, to which callers move; release 2: take the old one away, and name its place with --allow-breaking';
const OUTPUT_MEND =
  'release 1: a new field beside it, which callers read; release 2: take the old one away, and name its place with --allow-breaking';
const REMEMBERED =
  'is part of what records remember of a request: one with a key that is sent again after the rollout';

/** By the names of operations. @param before Undefined: the release before does not say which it has. */
export function* compareRoutes(before: Routes | undefined, after: Routes): Changes {
  for (const [name, was, is] of paired(before ?? {}, after)) {
    const place = `routes.${name}`;
    if (is !== undefined && was === undefined) yield* added(place, is, before);
    else if (was !== undefined && is === undefined) yield* gone(place, was, after);
    else if (was !== undefined && is !== undefined) yield* compareRoute(place, was, is);
  }
}

function* added(place: string, route: RouteDescription, before: Routes | undefined): Changes {
  if (before === undefined) {
    yield additive(place, 'is new, or was there: the older release does not say which routes it has');
    return;
  }
  // Of two paths the one without parameters is meant.
  const other = Object.entries(before).find(
    ([, was]) =>
      was.method === route.method && shapeOf(was) !== shapeOf(route) && isPartOf(route.path, was.path),
  );
  if (other === undefined) yield additive(place, 'is new', 'at sites of the older release it is 404');
  else
    yield breaking(
      place,
      `is new, and takes ${route.path}, which ${other[0]} answered`,
      'another path; or, where nobody asks for it, name its place with --allow-breaking',
    );
}

function* gone(place: string, was: RouteDescription, after: Routes): Changes {
  const [name, heir] =
    Object.entries(after).find(([, is]) => is.method === was.method && shapeOf(is) === shapeOf(was)) ?? [];
  if (name === undefined || heir === undefined)
    yield breaking(place, `is gone: callers of ${was.method} ${was.path} get 404`, MEND);
  else {
    if (was.keyed)
      yield breaking(place, `is called ${name} now; the name ${REMEMBERED} is done again`, 'leave its name');
    else yield additive(place, `is called ${name} now`, 'programs that call it by its path go on');
    yield* compareRoute(place, was, heir);
  }
}

function* compareRoute(place: string, before: RouteDescription, after: RouteDescription): Changes {
  yield* comparePath(`${place}.path`, before, after);
  const [had, has] = [before, after].map(({ path }) => paramsIn(path));
  for (const [index, name] of (has ?? []).entries()) {
    const [was, is] = [before.params[had?.[index] ?? ''], after.params[name]];
    if (was !== undefined && is !== undefined)
      yield* compareValues(`${place}.params.${name}`, was, is, { mend: MEND });
  }
  yield* compareInput(place, before, after, MEND);
  yield* compareAccess(`${place}.access`, before.access, after.access);
  yield* compareRepeats(place, before, after);
  if (before.status !== after.status)
    yield breaking(`${place}.status`, `was ${before.status} and is ${after.status}`, MEND);
  for (const [field, was, is] of paired(before.output, after.output))
    yield* compareOutput(`${place}.output.${field}`, was, is);
}

function* comparePath(place: string, before: RouteDescription, after: RouteDescription): Changes {
  const what = `was ${before.method} ${before.path} and is ${after.method} ${after.path}`;
  if (before.method !== after.method || shapeOf(before) !== shapeOf(after))
    yield breaking(place, `${what}: callers of the old one are refused`, MEND);
  else if (before.path !== after.path) {
    if (before.keyed)
      yield breaking(
        place,
        `${what}; the name of a parameter ${REMEMBERED} is refused`,
        'leave the names of its parameters',
      );
    else
      yield additive(
        place,
        what,
        'the same requests are meant; programs that are compiled anew name them so',
      );
  }
}

function* compareAccess(place: string, before: string | undefined, after: string | undefined): Changes {
  if (before === after) return;
  const what = `was ${before ?? 'the scope of records'} and is ${after ?? 'the scope of records'}`;
  if (after === 'everybody') yield additive(place, what);
  else
    yield breaking(
      place,
      `${what}: callers without that scope are refused`,
      'give callers the new scope first, and name its place with --allow-breaking',
    );
}

function* compareRepeats(place: string, before: RouteDescription, after: RouteDescription): Changes {
  if (before.keyed && !after.keyed)
    yield breaking(
      `${place}.keyed`,
      'takes no key any more: what a caller sends again is done again',
      'leave it keyed',
    );
  else if (!before.keyed && after.keyed)
    yield additive(
      `${place}.keyed`,
      'takes a key now',
      'sites of the older release do again what is sent again: repeat when every site has this one',
    );
  if (before.repeat === after.repeat) return;
  if (after.repeat === 'here')
    yield breaking(
      `${place}.repeat`,
      'was elsewhere and is here: clients of the older contract still go to the other site with it',
      'a route beside it, or one whose effect is the same at both sites',
    );
  else yield additive(`${place}.repeat`, 'was here and is elsewhere');
}

function* compareOutput(
  place: string,
  was: OutputDescription | undefined,
  is: OutputDescription | undefined,
): Changes {
  if (was === undefined) {
    yield additive(place, 'is new', 'sites of the older release do not answer it');
    return;
  }
  if (is === undefined) {
    yield breaking(place, 'is gone: callers read it', OUTPUT_MEND);
    return;
  }
  if (was.optional !== true && is.optional === true)
    yield breaking(place, 'may be left out now: callers read it', OUTPUT_MEND);
  else if (was.optional === true && is.optional !== true) yield additive(place, 'is always there now');
  if (isSame(was.schema, is.schema)) return;
  const what = `was ${shown(was.schema)} and is ${shown(is.schema)}`;
  // What is answered now has to be what could be answered before.
  const widened = [...compareValues(place, is.schema, was.schema, { mend: OUTPUT_MEND })];
  if (widened.some(({ kind }) => kind === 'breaking'))
    yield breaking(place, `${what}: callers may get what they do not know`, OUTPUT_MEND);
  else yield additive(place, `${what}: callers know all that is answered`);
}

function paramsIn(path: string): readonly string[] {
  return [...path.matchAll(/\{([^}]*)\}/g)].map(([, name = '']) => name);
}

/** Which requests are meant, whatever the parameters are called. */
function shapeOf({ path }: Pick<RouteDescription, 'path'>): string {
  return path.replaceAll(/\{[^}]*\}/g, '{}');
}

/** Whether all that a path means was meant by another one, which has parameters. */
function isPartOf(path: string, other: string): boolean {
  const [a, b] = [path.split('/'), other.split('/')];
  return (
    a.length === b.length && b.every((segment, index) => segment.startsWith('{') || segment === a[index])
  );
}
