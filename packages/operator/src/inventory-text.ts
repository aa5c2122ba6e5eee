/** What an inventory of contents has found, in words. Pure. */
import type { InventoryView } from '../../../src/shared/operations/replication-view.ts';

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

/** `0 bytes`, `812 bytes`, `4.2 MB`: units of 1,000, as storages are billed in and disks are sold. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  for (; value >= 999.5 && unit < UNITS.length - 1; unit += 1) value /= 1_000;
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}

export function objectsText(objects: number, atLeast = false): string {
  return `${atLeast ? 'at least ' : ''}${objects} ${objects === 1 ? 'object' : 'objects'}`;
}

/** An inventory in one sentence. */
export function inventoryText(site: string, inventory: InventoryView): string {
  const { begunAt, endedAt } = inventory;
  const when = endedAt === undefined ? `goes on since ${begunAt}` : `of ${endedAt}`;
  return `Inventory of ${site} ${when}: ${findingsText(inventory)}.`;
}

/** What was looked at, and what of it was not as it should be. */
export function findingsText(inventory: InventoryView): string {
  const { read, checked, bytes, missing, corrupt, lost } = inventory;
  const { unused, unusedBytes, removed, removedBytes, strange, abandoned, corrected } = inventory;
  const of = `${objectsText(checked)} (${bytesText(bytes)})${read ? ', all bytes read' : ''}`;
  const wrong = missing + corrupt;
  const found =
    wrong === 0
      ? 'all there'
      : `${missing} missing, ${corrupt} corrupt; ${lost === 0 ? 'all of them are fetched from another site' : `${lost} of them at no other site`}`;
  const kept = unused - removed;
  const rest = [
    removed > 0 && `${removed} unused ones removed (${bytesText(removedBytes)})`,
    kept > 0 && `${kept} unused ones kept for now (${bytesText(unusedBytes - removedBytes)})`,
    strange > 0 && `${strange} strange names`,
    abandoned > 0 && `${abandoned} records without content deleted`,
    corrected > 0 && `the usage of ${corrected} owners or tenants put right`,
  ].filter((each) => each !== false);
  return [`${of}: ${found}`, ...rest].join('; ');
}
