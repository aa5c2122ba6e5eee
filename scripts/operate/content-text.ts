/** What is known of contents of records, in words. Pure. */
import type { Direction } from '@tandem-clouds/operator/directions';
import type { SiteReport } from '@tandem-clouds/operator/query-sites';
import type { InventoryView } from '../../src/shared/operations/replication-view.ts';

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

/** `0 bytes`, `812 bytes`, `4.2 MB`: units of 1,000, as storages are billed in and disks are sold. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  for (; value >= 999.5 && unit < UNITS.length - 1; unit += 1) value /= 1_000;
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}

function objectsText(objects: number, atLeast = false): string {
  return `${atLeast ? 'at least ' : ''}${objects} ${objects === 1 ? 'object' : 'objects'}`;
}

/** A cell of the table of directions. */
export function contentCell(content: Direction['content']): string {
  if (content === undefined) return '–';
  if (content.objects === 0 && !content.atLeast) return '0';
  return `${content.atLeast ? 'at least ' : ''}${content.objects}, ${bytesText(content.bytes)}`;
}

/** What is on its way in a direction, how fast, and until when; empty when there is nothing. */
export function contentSentence({ from, to = '', content, contentRate }: Direction): string {
  if (content === undefined || content.objects === 0) return '';
  const { objects, bytes, overdue, atLeast } = content;
  const verb = objects === 1 ? 'is' : 'are';
  const late = overdue === 0 ? '' : `, ${overdue} of them overdue`;
  const what = ` ${objectsText(objects, atLeast)} (${bytesText(bytes)}) of ${from} ${verb} on the way to ${to}${late}`;
  if (contentRate === undefined) return `${what}.`;
  const { bytesPerSecond, overMs, doneAt } = contentRate;
  const measured = `over ${(overMs / 1_000).toFixed(1)} s`;
  return doneAt === undefined
    ? `${what}; they have not become less ${measured}.`
    : `${what}; less by ${bytesText(bytesPerSecond)} a second ${measured}, done about ${doneAt}.`;
}

/** What a site lacks that nobody has, and its latest inventory; none where no entity has content. */
export function contentLines({
  site,
  url,
  replication,
}: SiteReport): readonly { readonly text: string; readonly isBad: boolean }[] {
  const { content } = replication ?? {};
  if (content === undefined) return [];
  const name = site ?? url;
  const { nowhere, inventory } = content;
  const lost =
    nowhere === undefined
      ? []
      : [
          {
            text: `${objectsText(nowhere.objects)} (${bytesText(nowhere.bytes)}) that ${name} is to have ${nowhere.objects === 1 ? 'is' : 'are'} at no site that is known.`,
            isBad: true,
          },
        ];
  return inventory === undefined
    ? lost
    : [...lost, { text: inventoryText(name, inventory), isBad: inventory.lost > 0 }];
}

/** An inventory in one sentence. */
export function inventoryText(site: string, inventory: InventoryView): string {
  const { begunAt, endedAt, read, checked, bytes, missing, corrupt, lost } = inventory;
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
  const when = endedAt === undefined ? `goes on since ${begunAt}` : `of ${endedAt}`;
  return `Inventory of ${site} ${when}: ${[`${of}: ${found}`, ...rest].join('; ')}.`;
}
