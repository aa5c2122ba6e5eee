/** Reactions: what waits, what is parked and why, and what an operator makes of it. */
import { drive, type Resources } from '@tandem-clouds/replication/drive';
import { own } from '@tandem-clouds/replication/own';
import { type PausedPeers, pausedPeers, pauseKey, setPaused } from '@tandem-clouds/replication/paused-peers';
import type { DueEntry } from '@tandem-clouds/replication/ports/store';
import type { Site } from '@tandem-clouds/replication/protocol';
import { wakeKeys } from '@tandem-clouds/replication/reactions/due';
import { PARKED_FROM_MS } from '@tandem-clouds/replication/reactions/due-at';
import { heirOf, lasting, park } from '@tandem-clouds/replication/reactions/entries';
import type { ReactionEntry } from '@tandem-clouds/replication/reactions/entry';
import { reactionPause } from '@tandem-clouds/replication/reactions/pause';
import { updateEntries } from '@tandem-clouds/replication/reactions/react';
import { setEntries, type Wanted } from '@tandem-clouds/replication/reactions/scan';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { pageSizeMax, reactionKeysMax } from '../../bounds.ts';
import type { Entity } from '../../domain/entity.ts';
import { type Own, reactionNames } from '../../domain/reactions.ts';
import { ConflictError, NotFoundError } from '../../errors.ts';
import { reactionChange, reactionScan } from '../../generated/validators.js';
import { readEach } from '../../read-each.ts';
import type { HttpRequest, Route } from '../route.ts';

const headers = { 'cache-control': 'no-store' };

interface Change {
  readonly action: 'retry' | 'park';
  readonly key: string;
  readonly reaction: string;
}

/**
 * @param site With what is reacted to (`reacting`).
 * @param resources With a waker: what an operator has set is done at once, and not with the next sweep.
 */
export function reactionRoutes(
  site: Site,
  resources: Resources & Required<Pick<Resources, 'waker'>>,
  entities: readonly Entity[],
  ownOf: Own = {},
): Route[] {
  const { store } = resources;
  const names = entities.flatMap((entity) =>
    reactionNames(entity, ownOf).map((reaction) => `${entity.name}.${reaction}`),
  );
  const named = ({ params }: HttpRequest): string => {
    const name = params['reaction'] ?? '';
    if (names.includes(name)) return name;
    throw new NotFoundError(`no reaction ${name} is declared; there are: ${names.join(', ') || 'none'}`);
  };
  const pausedNow = async (): Promise<PausedPeers> =>
    pausedPeers((await store.get(pauseKey(site.site)))?.record);
  const pause = async (request: HttpRequest, paused: boolean): Promise<object> => {
    const name = named(request);
    const [entity = '', reaction = ''] = name.split('.');
    return pauseView(name, await drive(setPaused(site, reactionPause(entity, reaction), paused), resources));
  };
  return [
    {
      method: 'GET',
      path: '/replication/reactions',
      async handle() {
        const nowMs = site.now();
        const [waiting, parked, paused] = await Promise.all([
          store.due(nowMs, reactionKeysMax),
          store.due(Number.MAX_SAFE_INTEGER, reactionKeysMax, { key: '', sinceMs: PARKED_FROM_MS }),
          pausedNow(),
        ]);
        const shown = [...waiting.slice(0, pageSizeMax), ...parked.slice(0, pageSizeMax)];
        const { held } = await readEach(store, [...new Set(shown.map(({ key }) => key))]);
        const body = {
          site: site.site,
          waiting: countOf(waiting),
          parked: countOf(parked),
          reactions: names.map((name) => pauseView(name, paused)),
          entries: [...held.values()].flatMap(({ record }) => entriesOf(record)).filter(isOpen),
        };
        return { status: 200, body, headers };
      },
    },
    {
      method: 'GET',
      path: '/replication/reactions/{key}',
      async handle({ params }) {
        const key = params['key'] ?? '';
        const held = await store.get(key);
        if (held === undefined) throw new NotFoundError(`${site.site} holds no record ${key}`);
        const conditions = site.reactions?.conditions(key, held.record.state, site.now()) ?? [];
        const body = {
          site: site.site,
          key,
          conditions: conditions.map(({ reaction, effectId, origin, site: where }) => ({
            reaction,
            effectId,
            origin,
            site: where,
          })),
          entries: entriesOf(held.record),
        };
        return { status: 200, body, headers };
      },
    },
    {
      method: 'POST',
      path: '/replication/reactions/change',
      body: reactionChange,
      async handle({ body }) {
        const { action, key, reaction } = body as Change;
        let entry: ReactionEntry | undefined;
        const written = await drive(
          updateEntries(key, ({ reactions }) => {
            const held = reactions && own(reactions, reaction);
            if (held?.effectId === undefined)
              throw new NotFoundError(`${site.site} has nothing to do about ${reaction} on ${key}`);
            entry = changed(held, action, site.now());
            return { ...reactions, [reaction]: entry };
          }),
          resources,
        );
        if (written === undefined || entry === undefined)
          throw new NotFoundError(`${site.site} holds no record ${key}`);
        await drive(wakeKeys(site, [written.record]), resources);
        return { status: 200, body: entryView(key, reaction, entry), headers };
      },
    },
    {
      method: 'POST',
      path: '/replication/reactions/scan',
      body: reactionScan,
      async handle({ body }) {
        const { cursor, ...wanted } = body as Wanted & { cursor?: string };
        checkWanted(site, wanted, names);
        const report = await drive(setEntries(site, wanted, { cursor }), resources);
        return { status: 200, body: { site: site.site, ...report }, headers };
      },
    },
    {
      method: 'PUT',
      path: '/replication/reaction-pauses/{reaction}',
      handle: async (request) => ({ status: 200, body: await pause(request, true), headers }),
    },
    {
      method: 'DELETE',
      path: '/replication/reaction-pauses/{reaction}',
      handle: async (request) => ({ status: 200, body: await pause(request, false), headers }),
    },
  ];
}

/** A retry begins anew, also where the provider may have forgotten: the operator has looked. */
function changed(entry: ReactionEntry, action: Change['action'], nowMs: number): ReactionEntry {
  if (action === 'park') return park(entry, 'operator', nowMs);
  const { tried: _, ...rest } = lasting(entry);
  return { ...rest, ...(entry.effectId !== undefined && { effectId: entry.effectId }), dueMs: nowMs };
}

/** @throws NotFoundError @throws ConflictError when the lost site may still be at work, or another takes over */
function checkWanted(site: Site, wanted: Wanted, names: readonly string[]): void {
  if (!('lost' in wanted)) {
    const name = `${wanted.entity}.${wanted.reaction}`;
    if (!names.includes(name)) throw new NotFoundError(`no reaction ${name} is declared`);
    return;
  }
  if (site.retired?.includes(wanted.lost) !== true)
    throw new ConflictError(
      `${wanted.lost} is not among the retired sites of ${site.site}: fence it first (TANDEM_RETIRED_SITES)`,
    );
  const heir = heirOf(site);
  // Where some records are kept at some sites only, each of them may be an heir.
  if (heir !== site.site && site.keptAt === undefined)
    throw new ConflictError(`what ${wanted.lost} has left is taken over by ${heir}, not by ${site.site}`);
}

function pauseView(reaction: string, paused: PausedPeers): object {
  const [entity = '', name = ''] = reaction.split('.');
  const sinceMs = own(paused, reactionPause(entity, name));
  return {
    reaction,
    paused: sinceMs !== undefined,
    ...(sinceMs !== undefined && { since: rfc3339(sinceMs) }),
  };
}

/** Of a lag of the index a page may be short; it is never more than it says. */
function countOf(entries: readonly DueEntry[]): object {
  return { keys: entries.length, atLeast: entries.length >= reactionKeysMax };
}

interface EntryView {
  readonly key: string;
  readonly reaction: string;
  readonly effectId?: string;
  readonly due?: string;
  readonly attempts: number;
  readonly parked?: string;
  readonly since?: string;
  readonly detail?: string;
  readonly done?: string;
}

function entriesOf({ key, reactions = {} }: StoredRecord): EntryView[] {
  return Object.entries(reactions).map(([reaction, entry]) => entryView(key, reaction, entry));
}

function isOpen({ effectId }: EntryView): boolean {
  return effectId !== undefined;
}

function entryView(key: string, reaction: string, entry: ReactionEntry): EntryView {
  const { effectId, dueMs, attempts = 0, parked, detail, done } = entry;
  return {
    key,
    reaction,
    ...(effectId !== undefined && { effectId }),
    ...(dueMs !== undefined && { due: rfc3339(dueMs) }),
    attempts,
    ...(parked !== undefined && { parked: parked.reason, since: rfc3339(parked.atMs) }),
    ...(detail !== undefined && { detail }),
    ...(done !== undefined && { done }),
  };
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}
