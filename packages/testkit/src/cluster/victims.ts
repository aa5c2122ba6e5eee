/** What of a cluster can be killed by itself. */
export type Victim = 'host' | 'bridge' | 'stores' | 'edge';
