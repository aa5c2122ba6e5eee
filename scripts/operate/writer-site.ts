/** What a promotion asks of a site. */
import type { VerificationView } from '@tandem-clouds/operator/operator-api';
import type { WriterView } from '../../src/shared/http/operations/writers.ts';
import type { PendingView } from '../../src/shared/operations/pending-view.ts';

/** One site, as a promotion asks it. */
export interface WriterSite {
  readonly site: string;
  writers(): Promise<readonly WriterView[]>;
  close(step: { readonly entity: string; readonly epoch: number; readonly to: string }): Promise<unknown>;
  open(step: { readonly entity: string; readonly epoch: number }): Promise<unknown>;
  pending(): Promise<PendingView>;
  /** Begins a comparison of the records of an entity with those of a peer. */
  compare(request: {
    readonly peer: string;
    readonly repair: boolean;
    readonly entity: string;
  }): Promise<VerificationView>;
  /** The latest ones, as far as known there. */
  comparisons(entity: string): Promise<readonly VerificationView[]>;
  /** Since it was last heard, as this site knows; null: never. */
  heardMsAgo(peer: string): Promise<number | null>;
}
