/** `tandem compare`, `repair` and `backfill`: begins a comparison of two sites and follows it to its end. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { differingIn, progressOf, summaryOf } from '@tandem-clouds/operator/comparison-text';
import { inventoryText } from '@tandem-clouds/operator/inventory-text';
import {
  type ContentInventoryView,
  OperatorApi,
  type VerificationView,
} from '@tandem-clouds/operator/operator-api';
import { findSite, TargetError } from '@tandem-clouds/operator/targets';
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
    if (differingIn(view) === 0) return 0;
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
