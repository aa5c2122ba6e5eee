/** What runbooks raise, by the hour, of the price book. */
import type { CapacityPrices } from '../../dns/monitor/capacity/level.ts';
import { type Price, PRICES } from './prices.ts';

const SECONDS_PER_HOUR = 3_600;
const one = ({ usd, per }: Price): number => usd / per;

export const capacityPrices: CapacityPrices = {
  lambdaGbHour: one(PRICES.lambdaReadySecond) * SECONDS_PER_HOUR,
  flexGbHour: one(PRICES.functionsReadySecond) * SECONDS_PER_HOUR,
  cosmosUnitHour: one(PRICES.cosmosAutoscale),
};
