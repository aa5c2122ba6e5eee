/**
 * What only an account can tell: calls that a deployed function makes with its own identity, one of each kind, and what
 * became of each. What a refusal means, and its mend, is the command's to know (`scripts/first-check`).
 */

/** One call. */
export interface Probe {
  /** The kind, of `scripts/first-check/table.ts`: `store.patch`. */
  readonly id: string;
  /** What it is about, where there is more than one: a queue, a peer, an address. */
  readonly subject?: string;
  /**
   * Makes the call; resolves to what was seen, in a few words.
   * @throws NotCheckedError when there is nothing to call @throws whatever the service refuses with
   */
  readonly run: () => Promise<string>;
}

/** Probes that are made one after the other, because each needs what the one before has left. */
export type ProbeGroup = readonly Probe[];

export interface Finding {
  readonly probe: string;
  readonly subject: string;
  /** `skipped`: there was nothing to call, and `seen` says why. */
  readonly result: 'ok' | 'refused' | 'skipped';
  /** What was seen; of a refusal the error with its causes. */
  readonly seen: string;
  readonly ms: number;
}

/** There is nothing to call: the configuration has no such thing. */
export class NotCheckedError extends Error {
  override readonly name = 'NotCheckedError';
}
