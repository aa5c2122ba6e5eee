/** What a catch-up is measured with. */
import type { CloudName } from '../service-bundles.ts';

export interface CatchUpOptions {
  readonly keys: number;
  readonly from: CloudName;
  readonly livePerSecond: number;
  readonly baselineSeconds: number;
  /** Of Cosmos DB. */
  readonly unitsPerSecond: number;
  /** Of Service Bus. */
  readonly creditsPerSecond: number;
}
