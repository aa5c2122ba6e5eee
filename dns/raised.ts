/** What monitors have raised while a site was lost, as the zone keeps it. */

/** As a runbook names them. */
export const LEVEL_FIELDS = ['provisionedConcurrency', 'alwaysReady', 'cosmosMaxThroughput'] as const;
export type LevelField = (typeof LEVEL_FIELDS)[number];

/** Site → field → part → [from, to]. */
export type Raised = Readonly<Record<string, RaisedFields>>;
export type RaisedFields = Readonly<Partial<Record<LevelField, RaisedParts>>>;
/** A part is a function, a group of instances, a container. */
export type RaisedParts = Readonly<Record<string, readonly [from: number, to: number]>>;
