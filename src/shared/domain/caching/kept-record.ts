/**
 * A record as a cache beside the store keeps it, and what is believed of what the cache gives back.
 *
 * Invariant: what comes back is used only if it is exactly what was kept for this very key, and not longer ago than the
 * entity allows, whatever the cache says of its age. A text that is none of that is as good as none.
 */
import type { RecordState, StoredRecord } from '@tandem-clouds/replication/record';
import { digest } from '../../digest.ts';
import { versionDigits } from '../../ports/text-cache.ts';
import { versionOf } from '../state-version.ts';

/** Raised when the form changes: what has another one is not read. */
const FORM = 1;
const DIGEST_CHARS = 32;

/** What is under the digest. */
interface Kept {
  readonly form: typeof FORM;
  readonly key: string;
  /** Epoch milliseconds at which the store was known to hold this state as its latest. */
  readonly atMs: number;
  readonly state: RecordState;
}

/** @param atMs Before the store was asked, or after it has written. */
export function keptText({ key, state }: Pick<StoredRecord, 'key' | 'state'>, atMs: number): string {
  const body = JSON.stringify({ form: FORM, key, atMs, state } satisfies Kept);
  const version = versionOf(state).padStart(versionDigits, '0');
  return `${version}${digest(`${version}${body}`)}${body}`;
}

/** What a reader may use of it: the state, and nothing that only the store knows of. Undefined: nothing. */
export function recordIn(
  key: string,
  text: string,
  { nowMs, maxAgeMs }: { readonly nowMs: number; readonly maxAgeMs: number },
): StoredRecord | undefined {
  const version = text.slice(0, versionDigits);
  const sealed = text.slice(versionDigits, versionDigits + DIGEST_CHARS);
  const body = text.slice(versionDigits + DIGEST_CHARS);
  if (digest(`${version}${body}`) !== sealed) return undefined;
  const kept = JSON.parse(body) as Partial<Kept>;
  const { state, atMs = -Infinity } = kept;
  const isMeant = kept.form === FORM && kept.key === key && state !== undefined;
  const isYoung = atMs <= nowMs + CLOCKS_MS && nowMs - atMs < maxAgeMs;
  if (!isMeant || !isYoung || versionOf(state).padStart(versionDigits, '0') !== version) return undefined;
  return { key, state, pending: {}, operations: [] };
}

/** By how much the clocks of two instances of a site may differ. */
const CLOCKS_MS = 1_000;
