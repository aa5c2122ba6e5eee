/**
 * Inventory: a site compares what its records say of contents with what its storage has, step by step.
 *
 * First all records: what the site claims and has not, or has otherwise, it claims no more (`recheck`), so that `hold`
 * fetches it from another; a record that is nothing without content, and never got any, is deleted after a week. Then all names of the storage: the bytes
 * of an upload that no record uses are deleted.
 *
 * Invariant: bytes go only when they are named by no record's content and by no entry of the conflict log, have been so since
 * before this inventory began, by what this very site knows of it, for longer than a grace, and while every peer is heard. An
 * entry is durable before the merge that lets an upload lose, so whatever was unused before the records were read is among
 * the entries that were read, or is used no more. Where that cannot be said the bytes stay. A name that is no upload's, or
 * that no record was ever here for, is reported and never deleted.
 *
 * A step does a bounded amount of work and returns the next as plain data, which goes into a message; taken twice it finds
 * nothing left to do. Counts may then be wrong, never the deletions.
 */
import { inventoryStepsMax } from '../bounds.ts';
import { RefusedError } from '../errors.ts';
import type { Site } from '../protocol.ts';
import type { ObjectProtocol } from './effects.ts';
import { readNames } from './inventory-names.ts';
import { noteInventory } from './inventory-record.ts';
import { readRecords } from './inventory-records.ts';
import type { InventoryParts, InventoryStep } from './inventory-step.ts';

/**
 * Takes a step and notes how far it has come. Returns the next one; undefined: it has ended, or another has begun meanwhile.
 * @throws what the store or the storage failed with: then the same step is taken again. @throws RefusedError when it has taken
 * too many steps
 */
export function* takeInventory(
  site: Site,
  step: InventoryStep,
  parts: InventoryParts,
): ObjectProtocol<InventoryStep | undefined> {
  if (step.site !== site.site) throw new RefusedError(`an inventory of ${step.site} at ${site.site}`);
  if (step.steps >= inventoryStepsMax)
    throw new RefusedError(`the inventory ${step.id} has taken ${inventoryStepsMax} steps and not ended`);
  const taken = step.phase === 'records' ? readRecords(site, step, parts) : readNames(site, step, parts);
  const next = { ...(yield* taken), steps: step.steps + 1 };
  const isLatest = yield* noteInventory(site, next);
  return isLatest && next.phase !== 'ended' ? next : undefined;
}
