/** What the protocol is told about reactions: conditions on a state, as a pure function. */
import type { RecordState } from '../record.ts';
import type { SiteId } from '../stamp.ts';

/** A condition that holds. */
export interface Condition {
  readonly reaction: string;
  /**
   * Names what is to be done: a function of the state alone, and for what is about a site itself of its name, so the same at
   * every attempt and wherever it is computed.
   */
  readonly effectId: string;
  /** `origin`: at one site. `every`: at each. */
  readonly site: 'origin' | 'every';
  /** The site of the newest of the stamps that it is about. */
  readonly origin: SiteId;
  /** Epoch milliseconds of that stamp: nobody has tried it before. */
  readonly madeMs: number;
  /** From when on it is to be done, epoch milliseconds; absent: at once. */
  readonly fromMs?: number;
  /** Whether its provider can be asked if it was done. */
  readonly canLookUp: boolean;
  /** Why the condition cannot be evaluated; then it is parked. */
  readonly broken?: string;
  /**
   * About the site itself, which does it whenever it can: never given up, whatever is away and for how long, and tried again
   * every few minutes. Its result is a note, which any site may write (`LocalWrite.isNote`).
   */
  readonly lasting?: boolean;
  /** The declared reaction, of other records, whose conditions it makes true: a scan for that sets it too. */
  readonly preparesFor?: { readonly entity: string; readonly reaction: string };
}

/** The reactions of a service, as the protocol sees them. Pure. */
export interface Reactions {
  /** Whether this release declares it. */
  knows(key: string, reaction: string): boolean;
  /** Those whose conditions hold, at most one a reaction. Never throws. */
  conditions(key: string, state: RecordState, nowMs: number): readonly Condition[];
}
