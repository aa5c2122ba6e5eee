/** One record as every site has it, followed while it is shown: each site answers when it has another state. */
import { useEffect, useState } from 'preact/hooks';
import { pause } from '@tandem-clouds/storefront/pause';
import { ApiError, askWhole, sitePath } from './api.ts';
import { changedFields, type RecordValues } from './versions.ts';

export interface Version {
  readonly site: string;
  /** `asking`: no answer yet; `silent`: none any more, and `record` is what was known. */
  readonly state: 'asking' | 'there' | 'absent' | 'silent';
  readonly record?: RecordValues;
  readonly etag?: string;
  /** As the site, or the console, says it. */
  readonly problem?: string;
}

export interface SeenChange {
  readonly id: number;
  readonly atMs: number;
  readonly site: string;
  readonly what: 'created' | 'changed' | 'gone';
  readonly etag?: string;
  readonly fields: ReturnType<typeof changedFields>;
}

export interface Versions {
  readonly versions: readonly Version[];
  /** Since the page shows it, the newest first. */
  readonly changes: readonly SeenChange[];
}

const CHANGES_MAX = 50;
const WAIT_SECONDS = 5;
/** Between two questions to one site, however fast it answers. */
const PAUSE_MS = 500;
/** After no answer, and of what is not there: for that no site waits. */
const LONG_PAUSE_MS = 2_000;
/** A browser has six connections to one server; with more sites than these, nobody waits. */
const WAITING_SITES_MAX = 3;

/** @param path `users/ada` */
export function useVersions(
  sites: readonly string[],
  path: string,
  headers: Readonly<Record<string, string>>,
): Versions {
  const key = JSON.stringify([sites, path, headers]);
  const [state, setState] = useState<Versions & { readonly key: string }>(() => ({ key, ...begin(sites) }));
  useEffect(() => {
    const leave = new AbortController();
    setState({ key, ...begin(sites) });
    const take = (version: Version): void =>
      setState((old) => (old.key === key && !leave.signal.aborted ? { key, ...taken(old, version) } : old));
    const waits = sites.length <= WAITING_SITES_MAX;
    for (const site of sites) void follow({ site, path, headers, waits, signal: leave.signal, take });
    return () => leave.abort();
  }, [key]);
  return state.key === key ? state : begin(sites);
}

function begin(sites: readonly string[]): Versions {
  return { versions: sites.map((site) => ({ site, state: 'asking' })), changes: [] };
}

interface Following {
  readonly site: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly waits: boolean;
  readonly signal: AbortSignal;
  readonly take: (version: Version) => void;
}

async function follow({ site, path, headers, waits, signal, take }: Following): Promise<void> {
  let etag: string | undefined;
  while (!signal.aborted) {
    const known: Record<string, string> = etag === undefined ? {} : { 'if-none-match': etag };
    let pauseMs = waits && etag !== undefined ? PAUSE_MS : LONG_PAUSE_MS;
    try {
      const answer = await askWhole<RecordValues>(sitePath(site, path), {
        headers: { ...headers, ...known, ...(waits && { prefer: `wait=${WAIT_SECONDS}` }) },
        signal,
      });
      if (answer.status !== 304) {
        etag = answer.headers.get('etag') ?? undefined;
        take({ site, state: 'there', record: answer.value, ...(etag !== undefined && { etag }) });
        pauseMs = PAUSE_MS;
      } else take({ site, state: 'there' });
    } catch (error) {
      const isAbsent = error instanceof ApiError && (error.status === 404 || error.status === 410);
      const problem = error instanceof Error ? error.message : String(error);
      take({ site, state: isAbsent ? 'absent' : 'silent', problem });
      if (isAbsent) etag = undefined;
      pauseMs = LONG_PAUSE_MS;
    }
    await pause(pauseMs, signal);
  }
}

/** What is shown once a site has said this. */
export function taken({ versions, changes }: Versions, now: Version): Versions {
  const before = versions.find(({ site }) => site === now.site);
  // It has what is shown already; or nobody knows, and what was known stays.
  const keeps = now.record === undefined && now.state !== 'absent';
  const next: Version = keeps ? { ...withoutProblem(before), ...now } : now;
  const change = changeBetween(before, next);
  return {
    versions: versions.map((each) => (each.site === now.site ? next : each)),
    changes:
      change === undefined
        ? changes
        : [{ id: (changes[0]?.id ?? 0) + 1, atMs: Date.now(), ...change }, ...changes].slice(0, CHANGES_MAX),
  };
}

function withoutProblem(version: Version | undefined): Partial<Version> {
  const { problem: _, ...rest } = version ?? {};
  return rest;
}

/** The first state that is seen of a record is no change. */
function changeBetween(
  before: Version | undefined,
  now: Version,
): Omit<SeenChange, 'id' | 'atMs'> | undefined {
  const { site, etag, record, state } = now;
  if (before === undefined || before.state === 'asking') return undefined;
  if (state === 'absent') return before.record === undefined ? undefined : { site, what: 'gone', fields: [] };
  if (record === undefined || record === before.record) return undefined;
  if (before.record === undefined)
    return before.state === 'absent'
      ? { site, what: 'created', fields: [], ...(etag !== undefined && { etag }) }
      : undefined;
  if (etag === before.etag) return undefined;
  const fields = changedFields(before.record, record);
  return { site, what: 'changed', fields, ...(etag !== undefined && { etag }) };
}
