/**
 * Who holds what, as the record says it: a site claims an upload once its own storage has said that it has it, and takes the
 * claim back once that says otherwise.
 *
 * Invariant: of what a record's content is, only the site itself takes its claim away, and only the one that stood when its
 * storage was asked; then the condition of `hold` is true again in the same put.
 */
import type { Json } from '../json.ts';
import { type Changes, localWrite } from '../local-write.ts';
import { change, elementsOf } from '../policies/set.ts';
import { get, type Protocol, type Site } from '../protocol.ts';
import type { ReactOptions, Result, Unfinished } from '../reactions/react.ts';
import { partsOf, type RecordState, type StoredRecord } from '../record.ts';
import type { SiteId, Stamp } from '../stamp.ts';
import { claim, type Contents, HELD_BY, HOLD, storageName } from './content.ts';
import { head, type ObjectProtocol } from './effects.ts';
import { hasContent, hasOther, pull, type PullOptions } from './pull.ts';

/** What `react` does within a site about content: fetches it, and then claims it. */
export function holdWithin(
  contents: Contents,
  options: PullOptions = {},
): NonNullable<ReactOptions['within']> {
  return (site, record, reaction, progress) =>
    reaction === HOLD && contents.may(record.key)
      ? hold(site, record, contents, { ...options, progress })
      : undefined;
}

function* hold(
  site: Site,
  { key, state }: StoredRecord,
  contents: Contents,
  options: PullOptions & { readonly progress?: Json | undefined },
): ObjectProtocol<Result | Unfinished> {
  const held = contents.of(key, state, site.now());
  // It has expired since the attempt was begun.
  if (held === undefined) return undefined;
  const ended = yield* pull(site, key, held, options);
  return ended === 'held' ? (current) => claiming(current.state, held.content.upload, site.site) : ended;
}

/** A site claims an upload, and none of those that the record named before. */
export function claiming(state: RecordState, upload: string, site: SiteId): Changes {
  const mine = claim(upload, site);
  const others = claimsOf(state).filter((each) => each.endsWith(`@${site}`) && each !== mine);
  return { [HELD_BY]: change({ add: [mine], remove: others }) };
}

function claimsOf(state: RecordState): readonly string[] {
  return elementsOf(partsOf(state, HELD_BY)).filter((each) => typeof each === 'string');
}

export type Rechecked =
  /** The record has no content, or this site does not claim it. */
  | 'unclaimed'
  /** The storage has it; or it has so many bytes and cannot say which. */
  | 'held'
  /** The storage has not got it, or has something other: the claim is gone. */
  | 'missing'
  | 'other';

/**
 * Whether what a site claims of a record is true: asks its own storage, and takes the claim away if not.
 * @throws what the store or the storage failed with
 */
export function* recheck(site: Site, key: string, contents: Contents): ObjectProtocol<Rechecked> {
  const record = (yield* get(key))?.record;
  const held = record && contents.of(key, record.state, site.now());
  if (record === undefined || held?.heldBy.includes(site.site) !== true) return 'unclaimed';
  const { content } = held;
  const facts = yield* head(site.site, storageName(key, content.upload));
  if (hasContent(facts, content, site.site) || (facts !== undefined && !hasOther(facts, content)))
    return 'held';
  yield* unclaim(
    site,
    key,
    claim(content.upload, site.site),
    stampOf(record.state, claim(content.upload, site.site)),
  );
  return facts === undefined ? 'missing' : 'other';
}

/** Takes a claim away, unless it was made anew since. */
function* unclaim(site: Site, key: string, mine: string, stamp: Stamp): Protocol<void> {
  yield* localWrite(site, {
    key,
    operationId: `unclaim-${stamp}-${site.now().toString(36)}`,
    isNote: true,
    decide: (current) =>
      current === undefined || stampOf(current.state, mine) !== stamp
        ? undefined
        : { [HELD_BY]: change({ remove: [mine] }) },
  });
}

/** When a claim was made last; empty: it is not there. */
function stampOf(state: RecordState, mine: string): Stamp {
  const slots = Object.values(partsOf(state, HELD_BY).set ?? {});
  return (
    slots
      .filter(([, element]) => element === mine)
      .map(([stamp]) => stamp)
      .sort()
      .at(-1) ?? ''
  );
}
