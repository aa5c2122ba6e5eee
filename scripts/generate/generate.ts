/**
 * Writes what follows from the declared entities and routes: a function each, the registry, the declarations as data that
 * two releases are compared by, validators, the event schema,
 * `openapi.yaml` and from that the client's types; and from what the emulators say about themselves their pages. What an
 * declaration left behind that is no longer there is deleted.
 * `--check` writes nothing and fails when a file is not what it would be.
 */
import fs from 'node:fs';
import path from 'node:path';
import { eventSchema } from '@tandem-clouds/replication/event-schema';
import { describeDeclarations, SCHEMA_FILE, schemaText } from '../schema/describe.ts';
import { emulatorDocuments } from './emulators.ts';
import { entityFiles, HANDLERS_FOLDER } from './entity-files.ts';
import { indexSlotsModule, recordedSlots, recordSlots, SLOTS_FILE } from './index-slots.ts';
import { DeclarationsError } from './load-entities.ts';
import { loadDeclarations } from './load-routes.ts';
import { openApiDocument } from './openapi.ts';
import { ROUTE_HANDLERS_FOLDER, routeFiles } from './route-files.ts';
import { validatorsModule } from './validators.ts';

const ROOT = path.join(import.meta.dirname, '../..');

export interface GenerateOptions {
  readonly check: boolean;
  /** Of the project; absolute. Ours unless it is given. */
  readonly root?: string;
}

/** What is written. */
interface What {
  /** Whether the client is, too: it takes longer than all else, and nothing that is served needs it. */
  readonly client: boolean;
}

const ALL: What = { client: true };

/** Returns the exit status: 1 when something is stale and is only checked, or a declaration is wrong. */
export async function generate({ check, root = ROOT }: GenerateOptions): Promise<number> {
  try {
    if (check) return await checkGenerated(root);
    for (const line of await writeGenerated(root)) console.log(line);
    for (const line of testsOfNothing(root)) console.warn(line);
    return 0;
  } catch (error) {
    if (!(error instanceof DeclarationsError)) throw error;
    console.error(error.message);
    return 1;
  }
}

/** @returns What was done: `wrote openapi.yaml`, `deleted …`. @throws DeclarationsError that names every mistake. */
export async function writeGenerated(root: string, what: What = ALL): Promise<readonly string[]> {
  const { files, stale, leftOver } = await compared(root, what);
  for (const name of stale) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), files[name] ?? '');
  }
  for (const name of leftOver) fs.rmSync(path.join(root, name));
  return [...stale.map((name) => `wrote ${name}`), ...leftOver.map((name) => `deleted ${name}`)];
}

/** Does all of the work of `writeGenerated` but the writing. @throws DeclarationsError */
export async function rehearseGeneration(root: string, what: What = ALL): Promise<void> {
  await compared(root, what);
}

async function checkGenerated(root: string): Promise<number> {
  const { stale, leftOver } = await compared(root, ALL);
  for (const name of stale) console.error(`${name} is out of date: run npm run generate`);
  for (const name of leftOver) console.error(`${name} is of no declaration: run npm run generate`);
  const orphans = testsOfNothing(root);
  for (const line of orphans) console.error(line);
  return stale.length + leftOver.length + orphans.length > 0 ? 1 : 0;
}

/** From the root; `new entity` writes tests there. They are people's own from then on, so they are named and not deleted. */
const TESTS_FOLDER = 'tests/unit/entities';
const DECLARATION = /from '(?:\.\.\/)+(src\/shared\/(?:entities|routes)\/[\w-]+\.ts)'/g;

/** A line for each test of a declaration that is gone. */
function testsOfNothing(root: string): readonly string[] {
  const folder = path.join(root, TESTS_FOLDER);
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  return names.flatMap((name) => {
    const text = name.endsWith('.ts') ? (textOf(root, `${TESTS_FOLDER}/${name}`) ?? '') : '';
    const imported = [...text.matchAll(DECLARATION)].map(([, file = '']) => file);
    const gone = imported.find((file) => !fs.existsSync(path.join(root, file)));
    return gone === undefined
      ? []
      : [`${TESTS_FOLDER}/${name} is a test of ${gone}, which is gone: delete it, too`];
  });
}

/** What there should be, and in what that differs from what there is. */
async function compared(
  root: string,
  what: What,
): Promise<{
  readonly files: Readonly<Record<string, string>>;
  readonly stale: readonly string[];
  readonly leftOver: readonly string[];
}> {
  const files = await filesOf(root, what);
  return {
    files,
    stale: Object.keys(files).filter((name) => textOf(root, name) !== files[name]),
    leftOver: handlersIn(root).filter((name) => files[name] === undefined),
  };
}

async function filesOf(root: string, what: What): Promise<Readonly<Record<string, string>>> {
  const declarations = await loadDeclarations(root);
  const entities = declarations.entities.map(({ entity }) => entity);
  const routes = declarations.routes.map(({ value }) => value);
  const slots = recordSlots(entities, recordedSlots(root));
  // Side by side: a part of the first is done by esbuild's process.
  const [{ js, dts }, contract] = await Promise.all([
    validatorsModule(entities, routes),
    Promise.resolve().then(() => openApiDocument(entities, routes)),
  ]);
  return {
    ...entityFiles(declarations.entities, slots),
    ...routeFiles(declarations, slots),
    [SLOTS_FILE]: indexSlotsModule(slots),
    [SCHEMA_FILE]: schemaText(describeDeclarations(entities, slots, routes)),
    'src/shared/generated/validators.js': js,
    'src/shared/generated/validators.d.ts': dts,
    'docs/event.schema.json': `${JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...eventSchema }, null, 2)}\n`,
    'openapi.yaml': contract,
    ...(what.client && (await (await import('./client.ts')).clientFiles(contract))),
    ...emulatorDocuments(),
  };
}

/** Undefined when there is no such file. */
function textOf(root: string, name: string): string | undefined {
  const file = path.join(root, name);
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
}

/** The functions of entities and of custom routes that are there, from the root. */
function handlersIn(root: string): string[] {
  return [HANDLERS_FOLDER, ROUTE_HANDLERS_FOLDER].flatMap((folder) => {
    const there = path.join(root, folder);
    const names = fs.existsSync(there) ? fs.readdirSync(there) : [];
    return names.filter((name) => name.endsWith('.ts')).map((name) => `${folder}/${name}`);
  });
}
