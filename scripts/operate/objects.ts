/** `tandem objects`: inventories of the storages of sites, and what each site knows of one object. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { bytesText, inventoryText } from '@tandem-clouds/operator/inventory-text';
import {
  type ContentInventoryView,
  OperatorApi,
  type RecordContentView,
} from '@tandem-clouds/operator/operator-api';
import { findSite, findTargets, type Target, TargetError } from '@tandem-clouds/operator/targets';
import type { ObjectOptions } from './options.ts';

const SAMPLE_EVERY_MS = 1_000;

/** Returns the exit status: 1 when something is missing, corrupt or strange, or is not everywhere. @throws TargetError */
export async function objects(options: ObjectOptions, context: CommandContext): Promise<number> {
  const targets = options.at === undefined ? findTargets(options) : [await findSite(options, options.at)];
  return options.action === 'check' ? check(options, targets, context) : show(options, targets, context);
}

async function check(
  { read, json }: ObjectOptions,
  targets: readonly Target[],
  context: CommandContext,
): Promise<number> {
  const apis = targets.map((target) => new OperatorApi(target));
  const begun = await Promise.all(apis.map((api) => api.beginInventory(read)));
  const views = await Promise.all(begun.map((view, i) => follow(apis[i] ?? fail(), view, context, json)));
  for (const view of views) context.out(json ? `${JSON.stringify(view)}\n` : `${textOf(view)}\n`);
  return views.some(({ missing, corrupt, strange }) => missing + corrupt + strange > 0) ? 1 : 0;
}

function fail(): never {
  throw new TypeError('as many inventories as sites');
}

async function follow(
  api: OperatorApi,
  { id, site }: ContentInventoryView,
  { err, signal }: CommandContext,
  json: boolean,
): Promise<ContentInventoryView> {
  let shown = '';
  for (;;) {
    if (signal.aborted) throw new TargetError('not waited for: the inventory goes on without you');
    const view = (await api.inventories()).find((each) => each.site === site);
    if (view !== undefined && view.id !== id)
      throw new TargetError(`${site}: another inventory has begun meanwhile; it is the one that goes on`);
    if (view?.endedAt !== undefined) return view;
    const progress = `${site}: ${view?.checked ?? 0} objects (${bytesText(view?.bytes ?? 0)}) checked`;
    if (!json && progress !== shown) err(`${progress}\n`);
    shown = progress;
    await delay(SAMPLE_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

function textOf(view: ContentInventoryView): string {
  const examples = view.examples.map((each) => `  ${each}`);
  return [inventoryText(view.site, view), ...examples].join('\n');
}

async function show(
  { id, json }: ObjectOptions,
  targets: readonly Target[],
  { out }: CommandContext,
): Promise<number> {
  const key = id.includes(':') ? id : `object:${id}`;
  const views = await Promise.all(
    targets.map(async (target) => {
      try {
        return await new OperatorApi(target).content(key);
      } catch (error) {
        if (!(error instanceof TargetError)) throw error;
        return { site: target.site ?? target.url, key, problem: error.message };
      }
    }),
  );
  for (const view of views) out(json ? `${JSON.stringify(view)}\n` : `${lineOf(view)}\n`);
  return views.every((view) => 'problem' in view || view.content?.lackedBy.length === 0) ? 0 : 1;
}

function lineOf(view: RecordContentView | { readonly site: string; readonly problem: string }): string {
  if ('problem' in view) return `${view.site}: ${view.problem}`;
  const { site, exists, content, fetching } = view;
  if (!exists) return `${site}: the record is deleted or has expired`;
  if (content === undefined) return `${site}: the record has no content: no upload of it was completed`;
  const { upload, bytes, contentType, completedAt, heldBy, lackedBy, dueBy } = content;
  const lacking = lackedBy.length === 0 ? '' : `, not yet by ${lackedBy.join(', ')} (due by ${dueBy})`;
  const attempt =
    fetching === undefined
      ? ''
      : `\n  ${fetching.attempts} attempts to fetch it here${fetching.next === undefined ? '' : `, the next one ${fetching.next}`}${fetching.detail === undefined ? '' : `: ${fetching.detail}`}`;
  return `${site}: ${upload}, ${bytesText(bytes)} of ${contentType}, completed ${completedAt}; held by ${heldBy.join(', ') || 'nobody'}${lacking}${attempt}`;
}
