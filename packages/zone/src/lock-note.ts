/** Who may change the zone. Kept where the zone is kept. */
export interface LockNote {
  readonly owner: string;
  /** Tells two locks of one owner apart. */
  readonly nonce: string;
  /** Epoch milliseconds, by the owner's clock. */
  readonly expiresAtMs: number;
}
