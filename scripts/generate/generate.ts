/**
 * Writes what follows from the declared entities and routes: validators, the event schema and `openapi.yaml`;
 * and from what the emulators say about themselves their pages.
 * `--check` writes nothing and fails when a file is not what it would be.
 */
import fs from 'node:fs';
import path from 'node:path';
import { eventSchema } from '@tandem-clouds/replication/event-schema';
import { emulatorDocuments } from './emulators.ts';
import { indexSlotsModule } from './index-slots.ts';
import { loadEntities, registryModule } from './load-entities.ts';
import { openApiDocument } from './openapi.ts';
import { validatorsModule } from './validators.ts';

const root = path.join(import.meta.dirname, '../..');
/** Returns the exit status: 1 when something is stale and is only checked. */
export async function generate({ check }: { readonly check: boolean }): Promise<number> {
  const declared = await loadEntities();
  const entities = declared.map(({ entity }) => entity);
  const { js, dts } = await validatorsModule(entities);
  const files: Record<string, string> = {
    'src/shared/registry/entities.ts': registryModule(declared),
    'src/shared/registry/index-slots.ts': indexSlotsModule(entities),
    'src/shared/generated/validators.js': js,
    'src/shared/generated/validators.d.ts': dts,
    'docs/event.schema.json': `${JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...eventSchema }, null, 2)}\n`,
    'openapi.yaml': openApiDocument(entities),
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
