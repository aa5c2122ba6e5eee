/** `tandem reactions`: what waits to be done while conditions hold, what is parked, and what an operator makes of it. */
import type { CommandContext } from '@tandem-clouds/command-line/command';
import {
  OperatorApi,
  type ReactionEntryView,
  type ReactionScanView,
  type ReactionsView,
} from '@tandem-clouds/operator/operator-api';
import { findSite, findTargets } from '@tandem-clouds/operator/targets';
import type { ReactionOptions } from './options.ts';

/** Returns the exit status: 1 when a scan could not use some records. @throws TargetError */
export async function reactions(options: ReactionOptions, context: CommandContext): Promise<number> {
  const { action, at, key, reaction, lost } = options;
  switch (action) {
    case 'list':
      return list(options, context);
    case 'show': {
      const view = await (await apiAt(options)).reactionsOf(key);
      const holding = view.conditions.map(
        ({ reaction: name, effectId, origin, site }) =>
          `${name}: holds, ${site === 'every' ? 'runs at every site' : `is run by ${origin}`}  ${effectId}`,
      );
      print(options, context, view, [...holding, ...view.entries.map(lineOf)].join('\n') || 'Nothing.');
      return 0;
    }
    case 'pause':
    case 'resume': {
      const paused = action === 'pause';
      const apis =
        at === undefined ? findTargets(options).map((each) => new OperatorApi(each)) : [await apiAt(options)];
      const views = await Promise.all(apis.map((api) => api.pauseReaction(reaction, paused)));
      const state = paused
        ? 'is paused: its conditions are kept, and nothing is run'
        : 'runs again, within five minutes';
      print(options, context, views, `${reaction} ${state}, at ${views.length} sites.`);
      return 0;
    }
    case 'retry':
    case 'park': {
      const view = await (await apiAt(options)).changeReaction({ action, key, reaction });
      print(options, context, view, lineOf(view));
      return 0;
    }
    case 'backfill': {
      const [entity = '', name = ''] = reaction.split('.');
      return scan(options, context, { entity, reaction: name });
    }
    case 'take-over':
      return scan(options, context, { lost });
  }
}

async function apiAt(options: ReactionOptions): Promise<OperatorApi> {
  return new OperatorApi(await findSite(options, options.at));
}

async function list(options: ReactionOptions, context: CommandContext): Promise<number> {
  const targets = options.at === undefined ? findTargets(options) : [await findSite(options, options.at)];
  for (const view of await Promise.all(targets.map((target) => new OperatorApi(target).reactions())))
    print(options, context, view, listOf(view));
  return 0;
}

function listOf({ site, waiting, parked, reactions: declared, entries }: ReactionsView): string {
  const count = ({ keys, atLeast }: ReactionsView['waiting']): string =>
    `${atLeast ? 'at least ' : ''}${keys}`;
  const paused = declared
    .filter((each) => each.paused)
    .map(({ reaction, since = '' }) => `  ${reaction} paused since ${since}`);
  return [
    `${site}: ${count(waiting)} records with a reaction that is due, ${count(parked)} with a parked one`,
    ...paused,
    ...entries.map((entry) => `  ${lineOf(entry)}`),
  ].join('\n');
}

function lineOf({
  key,
  reaction,
  due,
  attempts,
  parked,
  since,
  detail,
  done,
  effectId,
}: ReactionEntryView): string {
  const state =
    parked !== undefined
      ? `parked: ${parked} since ${since ?? ''}`
      : due !== undefined
        ? `next attempt ${due}`
        : `done${done === undefined ? '' : ` ${done}`}`;
  const tried = attempts > 0 ? `, ${attempts} attempts` : '';
  const why = detail === undefined ? '' : `: ${detail}`;
  return `${key} ${reaction}  ${state}${tried}${why}${effectId === undefined ? '' : `  ${effectId}`}`;
}

/** In parts, until the end: a part is a request, and one that is repeated does no harm. */
async function scan(options: ReactionOptions, context: CommandContext, wanted: object): Promise<number> {
  const api = await apiAt(options);
  let [scanned, set] = [0, 0];
  const unusable: string[] = [];
  let part: ReactionScanView | undefined;
  do {
    const next = part?.next;
    part = await api.scanReactions({ ...wanted, ...(next !== undefined && { cursor: next }) });
    scanned += part.scanned;
    set += part.set;
    unusable.push(...part.unusable);
    if (!options.json) context.err(`${scanned} records scanned, ${set} reactions set\n`);
  } while (part.next !== undefined);
  const view = { site: part.site, scanned, set, unusable };
  const rest =
    unusable.length === 0 ? '' : ` Not usable: ${unusable.join(', ')}; \`status --keys\` says why.`;
  print(options, context, view, `${part.site} runs ${set} reactions that nobody had been asked for.${rest}`);
  return unusable.length === 0 ? 0 : 1;
}

function print({ json }: ReactionOptions, { out }: CommandContext, view: unknown, text: string): void {
  out(json ? `${JSON.stringify(view)}\n` : `${text}\n`);
}
