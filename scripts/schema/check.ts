/** `schema check`: what the declarations change of what is deployed, and whether stored records keep them. */
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { DeclarationsError } from '../generate/load-entities.ts';
import { refusedOf } from './allowed.ts';
import { schemaChanges } from './compare.ts';
import { reportText } from './report.ts';
import { scanEntity, type Scanned } from './scan.ts';
import {
  declaredNow,
  deployedAt,
  deployedEverywhere,
  type Named,
  type Source,
  sourceNamed,
} from './source.ts';

export interface SchemaCheckInput {
  readonly against: Named | undefined;
  readonly allowBreaking: readonly string[];
  /** Whose stored records are read. */
  readonly site: string | undefined;
  /** This one's only. */
  readonly entity: string | undefined;
  readonly cursor: string | undefined;
  readonly records: number;
  readonly json: boolean;
}

/** Returns the exit status: 1 when something is refused, or a stored record breaks a declaration. */
export async function checkSchema(input: SchemaCheckInput, { out }: CommandContext): Promise<number> {
  const { entities, description } = await declared();
  if (input.entity !== undefined && !entities.some(({ name }) => name === input.entity))
    throw new UsageError(`--entity: '${input.entity}' is not declared`);
  const against = await sourceOf(input);
  const changes = schemaChanges(against.description, description);
  const refused = refusedOf(changes, input.allowBreaking);
  const stored = await scanned(input, entities);
  const report = { against: against.name, changes, refused: refused.map(({ place }) => place), stored };
  out(input.json ? `${JSON.stringify(report)}\n` : reportText(report));
  return refused.length > 0 || stored.some(({ broken }) => broken.length > 0) ? 1 : 0;
}

async function declared(): ReturnType<typeof declaredNow> {
  try {
    return await declaredNow();
  } catch (error) {
    if (error instanceof DeclarationsError) throw new CommandError(error.message, { cause: error });
    throw error;
  }
}

async function sourceOf({ against, site }: SchemaCheckInput): Promise<Source> {
  if (against !== undefined) return sourceNamed(against);
  return site === undefined ? deployedEverywhere() : deployedAt(site);
}

async function scanned(
  { site, entity, cursor, records }: SchemaCheckInput,
  entities: Awaited<ReturnType<typeof declaredNow>>['entities'],
): Promise<readonly Scanned[]> {
  if (site === undefined) return [];
  const results: Scanned[] = [];
  for (const each of entities)
    if (entity === undefined || each.name === entity)
      results.push(await scanEntity(each, { url: site, cursor, recordsMax: records }));
  return results;
}
