/** What can be read of a heartbeat, the record that each site's sweeper writes (`heartbeat.ts`). */
import type { StoredRecord } from './record.ts';
import { HEARTBEAT } from './reserved.ts';
import type { SiteId } from './stamp.ts';

export const SEMANTICS_FIELD = 'semantics';

/** The key of a site's own heartbeat; no other site writes it. */
export function heartbeatKey(site: SiteId): string {
  return `${HEARTBEAT}:${site}`;
}

/** The newest semantics that a site understands (`semantics.ts`); 1 for a release before they were reported. */
export function understoodBy(heartbeat: StoredRecord | undefined): number {
  const value = heartbeat?.state.fields[SEMANTICS_FIELD]?.[1];
  return typeof value === 'number' ? value : 1;
}
