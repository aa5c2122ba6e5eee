/** What can be read of a heartbeat, the record that each site's sweeper writes (`heartbeat.ts`). */
import type { StoredRecord } from './record.ts';
import { HEARTBEAT } from './reserved.ts';
import type { SiteId } from './stamp.ts';

export const SEMANTICS_FIELD = 'semantics';
/** Epoch milliseconds of the beat. */
export const BEATEN_AT = 'at';

/** The key of a site's own heartbeat; no other site writes it. */
export function heartbeatKey(site: SiteId): string {
  return `${HEARTBEAT}:${site}`;
}

/**
 * The newest semantics that a site understands (`semantics.ts`); 1 for a release before they were reported. Every beat
 * reports them: what stands from before the last one was said by a release that the site has gone back from.
 */
export function understoodBy(heartbeat: StoredRecord | undefined): number {
  const { [SEMANTICS_FIELD]: reported, [BEATEN_AT]: beaten } = heartbeat?.state.fields ?? {};
  const value = reported?.[1];
  return typeof value === 'number' && (reported?.[0] ?? '') >= (beaten?.[0] ?? '') ? value : 1;
}
