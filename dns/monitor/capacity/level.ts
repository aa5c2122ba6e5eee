/** How much of something a site has ready, so that it can be given more for a while. */

import type { LevelField } from '../../raised.ts';

/** What an hour of it costs at most, in USD; of the price book (`scripts/cost/prices.ts`), given by whoever starts commands. */
export interface CapacityPrices {
  /** A GB of Lambda that is provisioned, on arm64, for an hour. */
  readonly lambdaGbHour: number;
  /** A GB of an instance of Flex Consumption that is always ready, for an hour. */
  readonly flexGbHour: number;
  /** A request unit a second of Cosmos DB by autoscale in one region, for an hour. */
  readonly cosmosUnitHour: number;
}

/** One function, one group of instances, one container. */
export interface Part {
  readonly name: string;
  readonly level: number;
  /** Of one more. */
  readonly price: { readonly of: keyof CapacityPrices; readonly times: number };
}

/** Changes one field at one site. Every method throws a ProviderError after its own bounded retries. */
export interface Scaler {
  readonly field: LevelField;
  /** What there is; a part that the site does not have is left out. */
  read(): Promise<readonly Part[]>;
  /** What limits of the service are crossed by raising each of these to `to`: a sentence each, beginning with the field. */
  mistakes(parts: readonly Part[], to: number): Promise<readonly string[]>;
  set(part: string, level: number): Promise<void>;
}

/** Site → what can be changed there by this monitor. */
export type Scalers = ReadonlyMap<string, readonly Scaler[]>;

/** Which cloud has it. */
export const CLOUD_OF: Readonly<Record<LevelField, string>> = {
  provisionedConcurrency: 'aws',
  alwaysReady: 'azure',
  cosmosMaxThroughput: 'azure',
};
