/** What is known of contents of records, in words. Pure. */
import type { Direction } from '@tandem-clouds/operator/directions';
import { bytesText, inventoryText, objectsText } from '@tandem-clouds/operator/inventory-text';
import type { SiteReport } from '@tandem-clouds/operator/query-sites';

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
