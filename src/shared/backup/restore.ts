/**
 * Puts records of an archive into a site, with their stamps: they are what they were, so that they merge with what other sites
 * have, and a comparison finds them equal.
 *
 * Invariant: what is there is never made older: states are merged, and each write is on condition that nobody wrote meanwhile. So
 * a restore that was interrupted is begun again and does only what is left. It is for a site under a new id: a site that took back
 * its own past would use stamps again that its peers know.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { drive } from '@tandem-clouds/replication/drive';
import { goneSinceOf } from '@tandem-clouds/replication/lives';
import { type Changes, localWrite } from '@tandem-clouds/replication/local-write';
import { mergeStates } from '@tandem-clouds/replication/merge';
import type { Contents } from '@tandem-clouds/replication/objects/content';
import { claim, HELD_BY, storageName } from '@tandem-clouds/replication/objects/content';
import { change } from '@tandem-clouds/replication/policies/set';
import type { Store, Versioned, WriteRequest } from '@tandem-clouds/replication/ports/store';
import type { Site } from '@tandem-clouds/replication/protocol';
import { includes, type RecordState, type StoredRecord } from '@tandem-clouds/replication/record';
import { isOwnBusiness } from '@tandem-clouds/replication/reserved';
import type { SiteId } from '@tandem-clouds/replication/stamp';
import { archiveAtOnce, restoreBatchesAtOnce, restoreBatchKeys, restoreRoundsMax } from '../bounds.ts';
import { ConflictError } from '../errors.ts';
import type { Objects } from '../ports/objects.ts';
import { copyContent } from './contents.ts';
import { nameOf } from './names.ts';
import { type ArchiveStorage, eachAtOnce } from './storage.ts';

type Target = Pick<Store, 'getMany' | 'putMany' | 'scan'>;
type States = ReadonlyMap<string, RecordState>;
type Progress = (done: number, all: number) => void;

/** What a restore finds before it writes anything. */
export interface RestorePlan {
  /** Records of the archive that the site lacks. */
  readonly absent: number;
  /** It has them, with everything that the archive has. */
  readonly held: number;
  /** It has them in an older state. */
  readonly older: number;
  /** It has something in them that the archive lacks: some of their keys. */
  readonly beyond: readonly string[];
  /** Records of users that the archive does not have: some of their keys. */
  readonly strange: readonly string[];
}

const EXAMPLES_MAX = 10;

/** Reads the site, and writes nothing. */
export async function planRestore(
  store: Target,
  states: States,
  {
    site,
    onlyTheirs = false,
    progress = () => undefined,
  }: {
    /** Of the store: what it has written itself, such as that it holds the bytes of objects, stands in the way of nothing. */
    readonly site?: SiteId;
    readonly onlyTheirs?: boolean;
    readonly progress?: Progress;
  } = {},
): Promise<RestorePlan> {
  const counts = { absent: states.size, held: 0, older: 0 };
  const beyond: string[] = [];
  const strange: string[] = [];
  const note = ({ key, state }: Versioned['record']): void => {
    const archived = states.get(key);
    if (archived === undefined) {
      if (!isOwnBusiness(key) && strange.length < EXAMPLES_MAX) strange.push(key);
      return;
    }
    counts.absent -= 1;
    if (includes(state, archived.vector)) counts.held += 1;
    else counts.older += 1;
    const { [site ?? '']: _, ...others } = state.vector;
    if (!includes(archived, others) && beyond.length < EXAMPLES_MAX) beyond.push(key);
  };
  if (onlyTheirs) {
    const keys = [...states.keys()];
    for (let at = 0; at < keys.length; at += restoreBatchKeys) {
      const held = await store.getMany(keys.slice(at, at + restoreBatchKeys));
      for (const { record } of held.values()) note(record);
      progress(Math.min(at + restoreBatchKeys, keys.length), keys.length);
    }
  } else {
    let cursor: string | undefined;
    do {
      const page = await store.scan({ cursor, limit: 500 });
      page.records.forEach(note);
      cursor = page.next;
    } while (cursor !== undefined);
  }
  return { ...counts, beyond, strange };
}

/**
 * What stands in the way of a restore of a whole site.
 * @throws ConflictError when the archive has writes of the site itself, or the site has what the archive lacks.
 */
export function requireNewSite(
  states: States,
  { site, plan, beside }: { readonly site: SiteId; readonly plan: RestorePlan; readonly beside: boolean },
): void {
  const own = [...states].find(([, state]) => Object.hasOwn(state.vector, site));
  if (own !== undefined)
    throw new ConflictError(
      `${own[0]} bears stamps of ${site}: a site is restored under a new id, or it would use stamps again that its peers know`,
    );
  const others = [...plan.strange, ...plan.beyond];
  if (!beside && others.length > 0)
    throw new ConflictError(
      `${site} is not empty: it has ${others.slice(0, 3).join(', ')}, which the archive does not have like this; --beside merges with what is there`,
    );
}

export interface Restored {
  readonly written: number;
  readonly held: number;
  /** Key → why it could not be written. */
  readonly failed: Readonly<Record<string, string>>;
}

/** Merges states into a site. May be begun again at any time. @throws what the store throws for all of them. */
export async function restoreStates(
  store: Target,
  states: States,
  { now, progress = () => undefined }: { readonly now: () => number; readonly progress?: Progress },
): Promise<Restored> {
  const failed: Record<string, string> = {};
  let written = 0;
  let held = 0;
  let done = 0;
  const keys = [...states.keys()];
  const batches = Array.from({ length: Math.ceil(keys.length / restoreBatchKeys) }, (_, at) =>
    keys.slice(at * restoreBatchKeys, (at + 1) * restoreBatchKeys),
  );
  await eachAtOnce(batches, restoreBatchesAtOnce, async (batch) => {
    let open: readonly string[] = batch;
    for (let round = 1; open.length > 0; round += 1) {
      const known = await store.getMany(open);
      const writes = open.flatMap((key) => {
        const write = writeOf(key, states.get(key), known.get(key), now());
        return write === undefined ? [] : [write];
      });
      held += open.length - writes.length;
      const results = await store.putMany(writes);
      const again: string[] = [];
      results.forEach((result, index) => {
        const key = writes[index]?.record.key ?? '';
        if (result.status === 'written') written += 1;
        else if (round < restoreRoundsMax) again.push(key);
        else
          failed[key] = result.status === 'failed' ? result.error.message : 'it is being written too often';
      });
      open = again;
    }
    done += batch.length;
    progress(done, keys.length);
  });
  return { written, held, failed };
}

function writeOf(
  key: string,
  archived: RecordState | undefined,
  known: Versioned | undefined,
  nowMs: number,
): WriteRequest | undefined {
  if (archived === undefined) return undefined;
  const { state, changed } = mergeStates(known?.record.state, archived);
  if (!changed) return undefined;
  const { goneSince: _, ...held } = known?.record ?? { key, pending: {}, operations: [] };
  const goneSince = goneSinceOf(state, known?.record, nowMs);
  return {
    record: { ...held, state, ...(goneSince !== undefined && { goneSince }) },
    expected: known?.revision,
  };
}

/** Key → content of its record, or why it is not there. */
export interface RestoredContents {
  readonly copied: number;
  readonly held: number;
  readonly failed: Readonly<Record<string, string>>;
}

/** Copies the bytes of what the states name into the storage of a site; what is there in its size is there. */
export async function restoreContents(
  from: { readonly storage: Pick<ArchiveStorage, 'read'>; readonly sites: readonly SiteId[] },
  objects: Pick<Objects, 'head' | 'put' | 'beginUpload' | 'putPart' | 'completeUpload'>,
  states: States,
  {
    contents,
    nowMs,
    progress = () => undefined,
  }: { readonly contents: Contents; readonly nowMs: number; readonly progress?: Progress },
): Promise<RestoredContents> {
  const failed: Record<string, string> = {};
  let copied = 0;
  let held = 0;
  let done = 0;
  const wanted = [...states].flatMap(([key, state]) => {
    const content = contents.may(key) ? contents.of(key, state, nowMs)?.content : undefined;
    return content === undefined ? [] : [{ key, content }];
  });
  await eachAtOnce(wanted, archiveAtOnce, async ({ key, content }) => {
    const name = storageName(key, content.upload);
    if ((await objects.head({ key: name }))?.bytes === content.bytes) held += 1;
    else {
      const why = await firstOf(from.sites, (site) =>
        copyContent(
          { objects: from.storage, key: nameOf({ kind: 'content', site, key, upload: content.upload }) },
          { storage: objects, key: name },
          content,
        ),
      );
      if (why === undefined) copied += 1;
      else failed[key] = why;
    }
    done += 1;
    progress(done, wanted.length);
  });
  return { copied, held, failed };
}

/** Says in the records that this site holds the bytes, as a site does that has fetched them: from then on it gives them out. */
export async function claimContents(
  site: Site,
  store: Store,
  states: States,
  { contents, failed }: { readonly contents: Contents; readonly failed: RestoredContents['failed'] },
): Promise<void> {
  const resources = { store, sleep: (ms: number) => delay(ms) };
  const keys = [...states.keys()].filter((key) => contents.may(key) && !Object.hasOwn(failed, key));
  await eachAtOnce(keys, archiveAtOnce, async (key) => {
    const operationId = `claim-${site.now()}`;
    const decide = (current: StoredRecord | undefined): Changes | undefined => {
      const held = current && contents.of(key, current.state, site.now());
      if (held === undefined || held.heldBy.includes(site.site)) return undefined;
      return { [HELD_BY]: change({ add: [claim(held.content.upload, site.site)] }) };
    };
    if ((await store.get(key)) !== undefined)
      await drive(localWrite(site, { key, operationId, decide }), resources);
  });
}

/** Tries them in turn; why the last one failed, or undefined. */
async function firstOf(
  sites: readonly SiteId[],
  act: (site: SiteId) => Promise<void>,
): Promise<string | undefined> {
  let why = 'no archive';
  for (const site of sites) {
    try {
      await act(site);
      return undefined;
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
  }
  return why;
}
