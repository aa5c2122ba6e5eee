/** What clients write, and what they were answered. */

/** The entity that one site writes at a time. */
export const LEDGER = 'ledger';
/** The field that remembers every write. */
export const DONE = 'done';

/** An acknowledged write: the record's key, and what the write is known by there. */
export interface Confirmed {
  readonly key: string;
  readonly id: string;
}
