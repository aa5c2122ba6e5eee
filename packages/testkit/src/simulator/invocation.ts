/** One function invocation at a site, as what it does is judged by. */
import type { Json } from '@tandem-clouds/replication/json';
import type { StoredRecord } from '@tandem-clouds/replication/record';
import type { Meant } from '../history/facts.ts';
import type { SimSite } from './sim-site.ts';

/** The client operation behind a local write, with what it decided last. */
export interface Operation {
  readonly id: string;
  decided:
    | {
        readonly basis: StoredRecord | undefined;
        /** Whether it begins a life of the key. */
        readonly creates: boolean;
        /** Whether every peer had said that it understands incarnations. */
        readonly understood?: boolean;
        readonly fields: Readonly<Record<string, Json>>;
        readonly meant?: Readonly<Record<string, Meant>>;
      }
    | undefined;
}

export interface Invocation {
  readonly kind: 'write' | 'read' | 'forward' | 'apply' | 'sweep' | 'verify' | 'beat' | 'react';
  readonly at: SimSite;
  readonly operation: Operation | undefined;
  /** The latest time that the site's clock showed to it. */
  wallMs: number;
  /** Virtual milliseconds. */
  readonly startedMs: number;
  dead: boolean;
}
