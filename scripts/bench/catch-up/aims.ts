/** What a catch-up must keep, on this machine and on virtual time. */

/** How much later than without a backlog a live write may arrive, by the 99th percentile. */
export const LAG_FACTOR_MAX = 2;
