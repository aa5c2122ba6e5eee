/** One inventory of a site (`inventory.ts`), and what it has found so far. */
import { inventoryExamplesMax } from '../bounds.ts';
import type { Changes } from '../local-write.ts';
import type { Site } from '../protocol.ts';
import type { StoredRecord } from '../record.ts';
import type { SiteId } from '../stamp.ts';
import type { Contents } from './content.ts';
import { NO_SUMS, type Sums } from './usage.ts';

/** What an inventory has found and done so far. */
export interface InventoryCounts {
  /** Contents that this site claims and has been asked for, and their bytes. */
  readonly checked: number;
  readonly bytes: number;
  /** Claims that were taken away: the storage had nothing, or something other. */
  readonly missing: number;
  readonly corrupt: number;
  /** Of those, what no other site claims either: it is lost until somebody has it. */
  readonly lost: number;
  /** Uploads in the storage that no record uses, those that are still kept among them, and their bytes. */
  readonly unused: number;
  readonly unusedBytes: number;
  /** Uploads that were deleted, and their bytes. */
  readonly removed: number;
  readonly removedBytes: number;
  /** Names that are no upload's of a record that is, or was, here. */
  readonly strange: number;
  /** Records that were deleted: without content, or of what was deleted. */
  readonly abandoned: number;
  /** Accounts whose usage was put right. */
  readonly corrected: number;
}

export const NO_COUNTS: InventoryCounts = {
  checked: 0,
  bytes: 0,
  missing: 0,
  corrupt: 0,
  lost: 0,
  unused: 0,
  unusedBytes: 0,
  removed: 0,
  removedBytes: 0,
  strange: 0,
  abandoned: 0,
  corrected: 0,
};

/** One inventory, as far as it has come. Plain data. */
export interface InventoryStep {
  readonly id: string;
  /** The site whose inventory it is, which is the one that takes the step. */
  readonly site: SiteId;
  /** Epoch milliseconds at which it began. */
  readonly atMs: number;
  /** Whether all bytes are read and compared, beside what the storage says of them. */
  readonly read: boolean;
  readonly phase: 'records' | 'names' | 'ended';
  readonly cursor?: string;
  readonly counts: InventoryCounts;
  /** Keys of some of what was found missing or corrupt, and strange names. */
  readonly examples: readonly string[];
  readonly sums: Sums;
  /** Ends of the uploads that stand in the conflict log; absent: they are too many to be kept in mind. */
  readonly conflicts?: readonly string[];
  /** Of an object whose bytes are being read: which, how far, and the CRC-64/NVME of those, in base64. */
  readonly reading?: {
    readonly key: string;
    readonly upload: string;
    readonly at: number;
    readonly sum: string;
  };
  /** Steps before this one. */
  readonly steps: number;
}

export interface InventoryParts {
  readonly contents: Contents;
  /** Keys of the accounts that a record is counted in. */
  readonly accountsOf: (record: StoredRecord) => readonly string[];
  /** What deletes a record. */
  readonly deletion: (record: StoredRecord) => Changes;
  /** Key of the record that another one goes with; undefined: with none. */
  readonly parentOf?: (record: StoredRecord) => string | undefined;
  /** Whether there is time to go on; asked between calls, and each step gets on by something first. */
  readonly goesOn: () => boolean;
}

/** @param after The last account that the inventory before has summed up: this one goes on behind it. */
export function firstStep(
  { site, now }: Site,
  { id, read, after }: { readonly id: string; readonly read: boolean; readonly after?: string | undefined },
): InventoryStep {
  return {
    id,
    site,
    atMs: now(),
    read,
    phase: 'records',
    counts: NO_COUNTS,
    examples: [],
    sums: { ...NO_SUMS, from: after ?? '' },
    conflicts: [],
    steps: 0,
  };
}

/** What is found on the way, as it is counted. */
export class Findings {
  #counts: InventoryCounts;
  readonly #examples: string[];

  constructor({ counts, examples }: Pick<InventoryStep, 'counts' | 'examples'>) {
    this.#counts = counts;
    this.#examples = [...examples];
  }

  count(what: Partial<InventoryCounts>, example?: string): void {
    const added = Object.entries(what).map(([name, by]) => [
      name,
      this.#counts[name as keyof InventoryCounts] + by,
    ]);
    this.#counts = { ...this.#counts, ...(Object.fromEntries(added) as Partial<InventoryCounts>) };
    const isNew = example !== undefined && !this.#examples.includes(example);
    if (isNew && this.#examples.length < inventoryExamplesMax) this.#examples.push(example);
  }

  get found(): Pick<InventoryStep, 'counts' | 'examples'> {
    return { counts: this.#counts, examples: this.#examples };
  }
}
