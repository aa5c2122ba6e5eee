/** One row of a bill, whichever vendor wrote it and however it came here. */

export const CLOUDS = ['aws', 'azure', 'other'] as const;
export type BilledCloud = (typeof CLOUDS)[number];

/**
 * `ChargeCategory` of FOCUS, with corrections of earlier periods (`ChargeClass`), refunds among them, by themselves.
 * @see https://focus.finops.org/focus-specification/v1-2/
 */
export const CATEGORIES = ['Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment', 'Correction'] as const;
export type Category = (typeof CATEGORIES)[number];

export interface Charge {
  readonly cloud: BilledCloud;
  /** The day on which the charge period begins, UTC: `2026-11-03`. */
  readonly day: string;
  /** As the vendor calls it. */
  readonly service: string;
  /** ISO 4217. */
  readonly currency: string;
  readonly category: Category;
  /** What is on the invoice, in the currency. */
  readonly billed: number;
  /** What it comes to when commitments paid elsewhere are shared out. */
  readonly effective: number;
  /** Undefined: the source does not say. */
  readonly list: number | undefined;
  readonly tags: ReadonlyMap<string, string>;
  /** The vendor's id; empty where a charge is of no resource. */
  readonly resource: string;
  readonly quantity: number;
  /** Empty: the source does not say. */
  readonly unit: string;
}

/** By its name: `AWS`, `Amazon Web Services, Inc.`, `Microsoft`, … */
export function cloudOf(provider: string): BilledCloud {
  if (/amazon|\baws\b/i.test(provider)) return 'aws';
  return /microsoft|azure/i.test(provider) ? 'azure' : 'other';
}

/**
 * What a tag is called without what a vendor puts before it: `user:App` of Cost Explorer and `user_app` of the older
 * reports of AWS are `app`.
 */
export function tagName(name: string): string {
  return name.toLowerCase().replace(/^user[:_]/, '');
}
