/** What a rollout asks of the declarations before it touches a site. */
import type { RolloutPlan } from '../../infra/rollout/plan.ts';
import { schemaOf } from '../../infra/rollout/releases.ts';
import { StepError } from '../../infra/rollout/run-rollout.ts';
import { refusedOf } from '../schema/allowed.ts';
import { schemaChanges } from '../schema/compare.ts';
import { readDescription, type SchemaDescription } from '../schema/describe.ts';

/**
 * Each site's release beside the new one.
 * @param read What a release declares, as text.
 * @returns What could not be compared, for people.
 * @throws StepError that names every breaking change that nobody allowed @throws UsageError about `--allow-breaking`
 */
export function refuseBreaking(
  { release, sites }: Pick<RolloutPlan, 'release' | 'sites'>,
  allowed: readonly string[],
  read: (version: string) => string | undefined = schemaOf,
): readonly string[] {
  const after = described(release, read);
  if (after === undefined) return [`${release} does not say what it declares: not compared with what runs`];
  const notes: string[] = [];
  const changes = [...new Set(sites.map(({ previous }) => previous))].flatMap((previous) => {
    const before = previous === undefined ? undefined : described(previous, read);
    if (before !== undefined) return schemaChanges(before, after);
    notes.push(
      `${previous ?? 'what runs from the sources'} does not say what it declares: not compared with it`,
    );
    return [];
  });
  const refused = refusedOf(changes, allowed);
  if (refused.length === 0) return notes;
  const lines = new Set(refused.map(({ place, what, mend }) => `${place} ${what}\n    ${mend}`));
  throw new StepError(
    `${release} breaks what runs; allow each by --allow-breaking <place>, or do it in two releases:\n${[...lines].join('\n')}`,
  );
}

function described(
  version: string,
  read: (version: string) => string | undefined,
): SchemaDescription | undefined {
  const text = read(version);
  return text === undefined ? undefined : readDescription(text, `release ${version}`);
}
