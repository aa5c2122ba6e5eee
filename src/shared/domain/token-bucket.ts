/** A bucket of tokens, of which each thing that is limited takes one, and which time fills again. Pure. */

/** What is granted: so many a second in the long run, and so many at once after a pause. */
export interface Limit {
  readonly perSecond: number;
  readonly burst: number;
}

export interface Bucket {
  readonly tokens: number;
  /** Epoch milliseconds at which it held them. */
  readonly atMs: number;
}

/** The bucket as it is now; full where nothing is known of it. A clock that went back takes nothing out. */
export function filled(bucket: Bucket | undefined, { perSecond, burst }: Limit, nowMs: number): Bucket {
  if (bucket === undefined) return { tokens: burst, atMs: nowMs };
  const added = (Math.max(0, nowMs - bucket.atMs) / 1_000) * perSecond;
  return { tokens: Math.min(burst, bucket.tokens + added), atMs: Math.max(bucket.atMs, nowMs) };
}

/** Takes up to `wanted` whole tokens. */
export function taken(
  { tokens, atMs }: Bucket,
  wanted: number,
): { readonly left: Bucket; readonly count: number } {
  const count = Math.min(wanted, Math.floor(tokens));
  return { left: { tokens: tokens - count, atMs }, count };
}

/** Milliseconds until it holds a whole token. */
export function untilOneMs({ tokens }: Bucket, { perSecond }: Limit): number {
  return Math.max(0, Math.ceil(((1 - tokens) / perSecond) * 1_000));
}
