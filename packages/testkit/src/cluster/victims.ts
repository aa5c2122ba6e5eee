/** What of a cluster can be made to fail. */
export type Victim = 'host' | 'bridge' | 'stores' | 'edge';
/** How a link fails, see link.ts. */
export type Cut = 'refused' | 'stalled' | 'deaf';
