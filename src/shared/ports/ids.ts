/** Fresh identifiers, injected. */
export interface Ids {
  /** Unique over all sites and sorting by time of creation: UUID version 7 (RFC 9562). */
  next(): string;
}
