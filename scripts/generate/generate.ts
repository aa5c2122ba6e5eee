/**
 * Writes what follows from the declared entities and routes: validators, the event schema, `openapi.yaml` and
 * from that the client's types; and from what the emulators say about themselves their pages.
 * `--check` writes nothing and fails when a file is not what it would be.
 */
import fs from 'node:fs';
import path from 'node:path';
import { eventSchema } from '@tandem-clouds/replication/event-schema';
import { emulatorDocuments } from './emulators.ts';
import { loadEntities, registryModule } from './load-entities.ts';
import { openApiDocument } from './openapi.ts';
import { validatorsModule } from './validators.ts';

const root = path.join(import.meta.dirname, '../..');

export interface GenerateOptions {
  readonly check: boolean;
  /** Whether the client is written too: it takes longer than all else, and nothing that is served needs it. */
  readonly client?: boolean;
}

/** Returns the exit status: 1 when something is stale and is only checked. */
export async function generate({ check, client = true }: GenerateOptions): Promise<number> {
  const declared = await loadEntities();
  const entities = declared.map(({ entity }) => entity);
  const { js, dts } = await validatorsModule(entities);
  const contract = openApiDocument(entities);
  const files: Record<string, string> = {
    'src/shared/registry/entities.ts': registryModule(declared),
    'src/shared/generated/validators.js': js,
    'src/shared/generated/validators.d.ts': dts,
    'docs/event.schema.json': `${JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...eventSchema }, null, 2)}\n`,
    'openapi.yaml': contract,
    ...(client && (await (await import('./client.ts')).clientFiles(contract))),
    ...emulatorDocuments(),
  };

  const stale = Object.entries(files).filter(([name, content]) => {
    const file = path.join(root, name);
    return !fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== content;
  });
  if (check) {
    for (const [name] of stale) console.error(`${name} is out of date: run npm run generate`);
    return stale.length > 0 ? 1 : 0;
  }
  for (const [name, content] of stale) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), content);
    console.log(`wrote ${name}`);
  }
  return 0;
}
