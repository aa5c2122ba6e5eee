/** What every site does for itself for each state of a record that it comes to hold, and never gives up: rows, purges. */
import type { Condition } from '@tandem-clouds/replication/reactions/condition';
import { newestStamp, type RecordState } from '@tandem-clouds/replication/record';
import { stampMs, stampSite } from '@tandem-clouds/replication/stamp';
import { vectorName } from '@tandem-clouds/replication/vector';

/** Of a record's state, for whoever acts on it. */
export interface OfState {
  readonly key: string;
  readonly state: RecordState;
  /** Names a text. */
  readonly digest: (text: string) => string;
  /** Raised to have what is done done anew; absent: it is done once. */
  readonly fill?: number;
}

/** Holds of every state, and names it: a newer one is a new reason. */
export function siteCondition(reaction: string, { key, state, digest, fill }: OfState): Condition {
  const newest = newestStamp(state) ?? '';
  const named = [
    key,
    vectorName(state.vector),
    state.incarnation ?? 0,
    ...(fill === undefined ? [] : [fill]),
  ];
  return {
    reaction,
    effectId: `${reaction}-${digest(JSON.stringify(named))}`,
    site: 'every',
    origin: stampSite(newest),
    madeMs: stampMs(newest),
    canLookUp: true,
    lasting: true,
  };
}
