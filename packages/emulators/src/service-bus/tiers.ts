/**
 * What the tier of a namespace allows its queues.
 * @see https://azure.microsoft.com/pricing/details/service-bus/ (the table of features; scheduled messages are in all)
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-quotas
 * @see https://learn.microsoft.com/azure/service-bus-messaging/message-expiration (Basic: 14 days)
 */
import type { QueueOptions } from './queue-options.ts';

export const TIERS = ['Basic', 'Standard', 'Premium'] as const;
export type Tier = (typeof TIERS)[number];

const DAY_MS = 24 * 3_600_000;
const BASIC_TTL_MS_MAX = 14 * DAY_MS;

/** Megabytes that a queue may hold, its dead letters included: a choice of whole gigabytes. */
const SIZES_MB = [1024, 2048, 3072, 4096, 5120];

/** @throws TypeError naming everything that the tier refuses. */
export function checkTier(tier: Tier, options: QueueOptions, path = 'options'): void {
  const mistakes: string[] = [];
  if (tier === 'Basic') {
    if (options.requiresSession === true) mistakes.push(`${path}.requiresSession: not in the Basic tier`);
    if ((options.duplicateDetectionMs ?? 0) > 0)
      mistakes.push(`${path}.duplicateDetectionMs: not in the Basic tier`);
    if ((options.defaultTtlMs ?? 0) > BASIC_TTL_MS_MAX)
      mistakes.push(`${path}.defaultTtlMs: at most 14 days in the Basic tier`);
  }
  const { maxSizeInMegabytes: size } = options;
  if (size !== undefined && tier !== 'Premium' && !SIZES_MB.includes(size))
    mistakes.push(`${path}.maxSizeInMegabytes: one of ${SIZES_MB.join(', ')} in the ${tier} tier`);
  if (mistakes.length > 0) throw new TypeError(mistakes.join('; '));
}

/** The time to live of a queue that sets none. */
export const defaultTtlOf = (tier: Tier): number | undefined =>
  tier === 'Basic' ? BASIC_TTL_MS_MAX : undefined;

export function isTier(value: unknown): value is Tier {
  return TIERS.includes(value as Tier);
}
