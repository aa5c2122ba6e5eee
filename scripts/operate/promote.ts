/** `tandem promote`: moves the right to write the records of an entity, where one site has it at a time. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { getJson } from '@tandem-clouds/operator/get-json';
import { OperatorApi } from '@tandem-clouds/operator/operator-api';
import { readReplication } from '@tandem-clouds/operator/read-replication';
import { findTargets, type Target } from '@tandem-clouds/operator/targets';
import type { PromoteOptions } from './options.ts';
import { perform, type Plan, planOf } from './promotion.ts';
import type { WriterSite } from './writer-site.ts';

/** Returns the exit status: 1 when an entity could not be moved. @throws TargetError @throws CommandError */
export async function promote(options: PromoteOptions, { out, err }: CommandContext): Promise<number> {
  const { entity, to, lost, fenced, yes, json } = options;
  if (lost !== undefined && yes && !fenced)
    throw new CommandError(
      `fence ${lost} first, so that no request reaches it before it knows that ${to} writes (docs/places.md), and say --fenced`,
    );
  const sites = await answering(findTargets(options), lost);
  const declared = await sites.find(({ site }) => site === to)?.writers();
  if (declared === undefined) throw new CommandError(`${to} does not answer, or is none of the sites`);
  const names = declared.map((writer) => writer.entity).filter((name) => entity === 'all' || name === entity);
  if (names.length === 0) throw new CommandError(`${entity} is no entity that one site writes at a time`);
  let failures = 0;
  for (const name of names) {
    const plan = await planOf(sites, { entity: name, to, lost });
    const waiting = {
      sleep: (ms: number) => delay(ms),
      note: (line: string) => {
        if (!json) err(`${line}\n`);
      },
    };
    const problem = yes ? await perform(sites, plan, waiting) : undefined;
    if (problem !== undefined) failures += 1;
    const done = yes && problem === undefined;
    out(json ? `${JSON.stringify({ ...plan, done, problem })}\n` : `${textOf(plan, { done, problem })}\n`);
  }
  return failures === 0 ? 0 : 1;
}

/** Sites by their names, without those that do not answer; the lost one must not. */
async function answering(
  targets: readonly Target[],
  lost: string | undefined,
): Promise<readonly WriterSite[]> {
  const found = await Promise.all(targets.map(siteOf));
  const sites = found.flatMap((site) => site ?? []);
  if (sites.some(({ site }) => site === lost))
    throw new CommandError(`${lost ?? ''} answers: leave --lost out, and nothing is lost`);
  return sites;
}

async function siteOf(target: Target): Promise<WriterSite | undefined> {
  const view = async () => readReplication(await getJson(new URL('/replication', target.url)));
  let site: string;
  try {
    ({ site } = await view());
  } catch {
    return undefined;
  }
  const api = new OperatorApi(target);
  return {
    site,
    writers: () => api.writers(),
    close: (step) => api.closeWriter(step),
    open: (step) => api.openWriter(step),
    pending: () => api.pending(),
    compare: (request) => api.compare(request),
    comparisons: (entity) => api.verifications(entity),
    heardMsAgo: async (peer) => (await view()).inbound.find((each) => each.site === peer)?.heardMsAgo ?? null,
  };
}

function textOf(
  { entity, from, to, way, waiting, atLeast, heardMsAgo }: Plan,
  { done, problem }: { readonly done: boolean; readonly problem: string | undefined },
): string {
  if (way === 'there') return `${entity}: ${to} writes already.`;
  const head = `${entity}: from ${from} to ${to}`;
  const keys = waiting.length === 0 ? '' : `\n  ${waiting.join('\n  ')}`;
  const what =
    way === 'lost'
      ? `what ${from} acknowledged since it was last heard here (${heardMsAgo === null ? 'never' : `${Math.round(heardMsAgo / 1_000)} s ago`}) may not be here; it crosses and merges when ${from} is back, and \`status --keys\` names it then`
      : `${atLeast ? 'at least ' : ''}${waiting.length} records with writes that ${to} does not hold yet; they are waited for, so nothing is lost${keys}`;
  const end = problem ?? (done ? `${to} writes now` : 'nothing was done: --yes does it');
  return `${head}: ${what}\n  ${end}.`;
}
