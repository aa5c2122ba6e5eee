/** What the contract says about an operation that matters when it runs; `generated/operations.ts` has them all. */

export interface OperationFacts {
  readonly method: string;
  /** As in the contract: `/users/{userId}`. */
  readonly path: string;
  /** Takes an `Idempotency-Key`. */
  readonly keyed: boolean;
  /** Deleting it twice, at two sites, is deleting it once: a record. */
  readonly idempotent?: boolean;
  /** Where it may be repeated when its outcome is unknown and it has a key; absent: only at its site. */
  readonly repeat?: 'elsewhere' | 'here';
  /** It may be about any record, several at once: its answer names those that it has used. Absent: about that of its path. */
  readonly session?: 'several';
  /** The only sites that do it, by their ids; others name one of them. Absent: every site. */
  readonly sites?: readonly string[];
}
