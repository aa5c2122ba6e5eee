/** `tandem compare`, `repair` and `backfill`: begins a comparison of two sites and follows it to its end. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { own } from '@tandem-clouds/command-line/own';
import {
  type ContentInventoryView,
  OperatorApi,
  type SideView,
  type VerificationView,
} from '@tandem-clouds/operator/operator-api';
import { findSite, TargetError } from '@tandem-clouds/operator/targets';
import { inventoryText } from './content-text.ts';
import type { CompareOptions } from './options.ts';

const SAMPLE_EVERY_MS = 1_000;
/** A repair is followed by a comparison that proves it; what is written meanwhile may need another. */
const ROUNDS_MAX = 4;

/** Returns the exit status: 0 when the two hold the same in the end, 1 when they differ. @throws TargetError */
export async function compare(options: CompareOptions, context: CommandContext): Promise<number> {
  const { command, from, to, json } = options;
  const { out } = context;
  const api = new OperatorApi(await findSite(options, from));
  for (let round = 1; ; round += 1) {
    const repair = command !== 'compare' && round % 2 === 1;
    const view = await follow(api, { peer: to, repair }, context, json);
    const inventories = await latestInventories(api, [from, to]);
    out(
      json
        ? `${JSON.stringify({ ...view, ...(inventories.length > 0 && { inventories }) })}\n`
        : `${[summaryOf(view), ...inventories.map((each) => inventoryText(each.site, each))].join('\n')}\n`,
    );
    const differing = Object.values(view.sides).reduce((sum, side) => sum + side.differing, 0);
    if (differing === 0) return 0;
    if (command === 'compare' || round >= ROUNDS_MAX) return 1;
  }
}

/** What the two have found in their storages last: records may be the same where bytes are not. */
async function latestInventories(
  api: OperatorApi,
  sites: readonly string[],
): Promise<readonly ContentInventoryView[]> {
  try {
    return (await api.inventories()).filter(({ site }) => sites.includes(site));
  } catch (error) {
    // A release, or an application, without content.
    if (error instanceof TargetError) return [];
    throw error;
  }
}

async function follow(
  api: OperatorApi,
  request: { peer: string; repair: boolean },
  { err, signal, isTerminal }: CommandContext,
  json: boolean,
): Promise<VerificationView> {
  const begun = await api.compare(request);
  let shown = '';
  for (;;) {
    if (signal.aborted) throw new TargetError('not waited for: the comparison goes on without you');
    const view = (await api.verifications()).find(({ id }) => id === begun.id);
    if (view?.ended === true) {
      if (isTerminal && !json) err('\n');
      return view;
    }
    if (view === undefined)
      throw new TargetError('another comparison has begun meanwhile; it is the one that is kept');
    const progress = progressOf(view);
    if (!json && progress !== shown) err(isTerminal ? `\r\u001B[K${progress}` : `${progress}\n`);
    shown = progress;
    await delay(SAMPLE_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

function progressOf({ from, to, sides }: VerificationView): string {
  const known = Object.entries(sides).map(([site, side]) => `${site} ${sideText(side)}`);
  return known.length === 0 ? `comparing ${from} and ${to}: reading both` : `comparing: ${known.join(', ')}`;
}

function sideText({ checked, differing, repaired }: SideView): string {
  return `offered ${checked}, lacking ${differing}, sent ${repaired}`;
}

function summaryOf(view: VerificationView): string {
  const { from, to, repair, sides, lastCleanAt = 'never' } = view;
  const lines = [from, to].map((site) => {
    const side = own(sides, site);
    const other = site === from ? to : from;
    if (side === undefined) return `  ${site}: not known`;
    const counted = `  ${site}: ${side.counted ?? 0} records`;
    if (side.differing === 0) return `${counted}; ${other} has them all`;
    const examples = side.examples.length > 0 ? ` (${side.examples.slice(0, 5).join(', ')} …)` : '';
    const sent = repair ? `; ${side.repaired} were sent` : '';
    return `${counted}; ${other} lacks ${side.differing} of them or holds them in an earlier state${examples}${sent}`;
  });
  const differs = Object.values(sides).some(({ differing }) => differing > 0);
  const verdict = differs
    ? `${from} and ${to} differ. Last the same: ${lastCleanAt}.`
    : `${from} and ${to} hold the same, as of ${lastCleanAt}.`;
  return [verdict, ...lines].join('\n');
}
