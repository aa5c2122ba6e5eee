/** The wall clock, injected. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
}
