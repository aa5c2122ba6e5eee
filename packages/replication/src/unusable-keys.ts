/**
 * Keys that a request, a comparison, a repair or the removal of tombstones has met at this site and cannot read or write, for
 * good.
 * The sweeper names what it cannot send, and the queues what they cannot deliver; nothing of these has a marker or a
 * message, so they are noted in the site's own heartbeat, where `status` finds them.
 *
 * Invariant: noting never fails what notes it. An entry stands for `unusableKeptMs` after it was last met, and what still
 * stands is met again every hour.
 */
import { unusableAgainMs, unusableKeptMs, unusableKeysMax } from './bounds.ts';
import { AppError } from './errors.ts';
import { hashText } from './hash.ts';
import { heartbeatKey } from './heartbeat-record.ts';
import type { FailedKeys } from './isolate.ts';
import type { Json } from './json.ts';
import { localWrite } from './local-write.ts';
import { isConfined, openName } from './placement.ts';
import { get, type Protocol, type Site } from './protocol.ts';
import type { StoredRecord } from './record.ts';

const UNUSABLE = 'unusable';
const REASON_CHARACTERS_MAX = 200;

/** What the function was doing. */
export type Activity =
  'compare' | 'repair' | 'tombstones' | 'read' | 'list' | 'write' | 'index' | 'purge' | 'erase';

export interface UnusableKey {
  readonly key: string;
  readonly during: string;
  readonly reason: string;
  /** Epoch milliseconds: first met, and last. */
  readonly sinceMs: number;
  readonly lastMs: number;
}

/** What is noted in a site's heartbeat and still stands, the newest first. */
export function unusableKeys(heartbeat: StoredRecord | undefined, nowMs: number): readonly UnusableKey[] {
  return entriesOf(heartbeat).flatMap((entry) => {
    const [key, during, reason, sinceMs, lastMs] = Array.isArray(entry) ? (entry as Json[]) : [];
    const isWhole =
      typeof key === 'string' &&
      typeof during === 'string' &&
      typeof reason === 'string' &&
      typeof sinceMs === 'number' &&
      typeof lastMs === 'number';
    if (!isWhole || Math.abs(nowMs - lastMs) > unusableKeptMs) return [];
    return [{ key, during, reason, sinceMs, lastMs }];
  });
}

function entriesOf(heartbeat: StoredRecord | undefined): readonly Json[] {
  const value = heartbeat?.state.fields[UNUSABLE]?.[1];
  return Array.isArray(value) ? (value as Json[]) : [];
}

/** Key → why, as the heartbeat may say it, which is kept everywhere: a list at this site names what is confined. */
function openly(site: Site, failed: FailedKeys): ReadonlyMap<string, string> {
  return new Map(
    [...failed].map(([key, { message }]) =>
      isConfined(site, { key })
        ? [openName(site, key), 'of records that are kept at some sites only: a list at this one names it']
        : [key, message],
    ),
  );
}

/** Notes keys in the site's own heartbeat, unless they have just been noted. */
export function* noteUnusable(site: Site, during: Activity, failed: FailedKeys): Protocol<void> {
  if (failed.size === 0) return;
  const nowMs = site.now();
  const open = openly(site, failed);
  try {
    yield* localWrite(site, {
      key: heartbeatKey(site.site),
      operationId: `unusable-${nowMs}-${hashText([during, ...open.keys()].join('\n'))}`,
      decide: (heartbeat) => {
        const known = new Map(unusableKeys(heartbeat, nowMs).map((entry) => [entry.key, entry]));
        const news = [...open].filter(
          ([key]) => nowMs - (known.get(key)?.lastMs ?? -Infinity) >= unusableAgainMs,
        );
        if (news.length === 0) return undefined;
        const met = news.map(([key, why]) => ({
          key,
          during,
          reason: why.slice(0, REASON_CHARACTERS_MAX).toWellFormed(),
          sinceMs: known.get(key)?.sinceMs ?? nowMs,
          lastMs: nowMs,
        }));
        for (const { key } of met) known.delete(key);
        const entries = [...met, ...known.values()].slice(0, unusableKeysMax);
        return { [UNUSABLE]: entries.map(asJson) };
      },
    });
  } catch (error) {
    // It is met again in an hour; what it was met by must go on.
    if (!(error instanceof AppError)) throw error;
  }
}

function asJson({ key, during, reason, sinceMs, lastMs }: UnusableKey): Json {
  return [key, during, reason, sinceMs, lastMs];
}

/** Takes out what was noted while every site kept it, and is kept at some sites only by now. */
export function* forgetUnusable(site: Site): Protocol<void> {
  const isOpen = (entry: Json): boolean => {
    const [key] = Array.isArray(entry) ? (entry as Json[]) : [];
    return typeof key !== 'string' || key === openName(site, key);
  };
  const areOpen = (heartbeat: StoredRecord | undefined): boolean => entriesOf(heartbeat).every(isOpen);
  const key = heartbeatKey(site.site);
  if (areOpen((yield* get(key))?.record)) return;
  yield* localWrite(site, {
    key,
    operationId: `open-${site.now()}`,
    decide: (heartbeat) =>
      areOpen(heartbeat) ? undefined : { [UNUSABLE]: entriesOf(heartbeat).filter(isOpen) },
  });
}
