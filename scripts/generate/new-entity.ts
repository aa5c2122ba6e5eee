/** `new entity`: the file of an entity and its test, both with comments about what else they can say. */
import fs from 'node:fs';
import path from 'node:path';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { writeFile } from '@tandem-clouds/command-line/write-file';
import { HOST, HOST_PORTS } from '@tandem-clouds/local/ports';
import { localSites } from '@tandem-clouds/operator/targets';
import { isReservedEntity } from '@tandem-clouds/replication/reserved';
import { isTaken } from '../../src/shared/domain/declaration-mistakes.ts';
import { writeGenerated } from './generate.ts';
import { ENTITIES_FOLDER } from './load-entities.ts';
import { loadDeclarations } from './load-routes.ts';
import { camel, functionOf } from './names.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const NAME = /^[a-z][a-z0-9-]{0,39}$/;

export interface NewEntityInput {
  /** Plural: the first segment of its path. */
  readonly collection: string;
  /** Singular; follows from the collection where that is regular. */
  readonly name: string | undefined;
  /** The claim of a token that names the caller's tenant. */
  readonly tenant: string | undefined;
}

interface Named {
  readonly collection: string;
  readonly name: string;
  readonly tenant: string | undefined;
}

/**
 * Returns the exit status. @throws UsageError about a name that cannot be one; CommandError when there is such an entity, or
 * one that is declared already is wrong.
 */
export async function newEntity(
  input: NewEntityInput,
  out: (text: string) => void,
  root = ROOT,
): Promise<number> {
  checkName('collection', input.collection);
  const { collection, name = singularOf(collection), tenant } = input;
  const named = { collection, name, tenant };
  checkNames(named);
  const declared = await loadDeclarations(root);
  for (const { file, value } of declared.routes)
    if (functionOf(`/${value.name}`).toLowerCase() === functionOf(`/${collection}`).toLowerCase())
      throw new CommandError(`${file} has the path /${collection} already`);
  for (const { file, entity } of declared.entities) {
    const paths = [entity.collection, ...entity.aliases.map((alias) => alias.slice(1))];
    const isTwin =
      camel(entity.name) === camel(name) ||
      paths.some(
        (segment) => functionOf(`/${segment}`).toLowerCase() === functionOf(`/${collection}`).toLowerCase(),
      );
    if (isTwin) throw new CommandError(`${file} has the name ${name} or the path /${collection} already`);
  }
  const file = `${ENTITIES_FOLDER}/${name}.ts`;
  const test = `tests/unit/entities/${name}.test.ts`;
  for (const one of [file, test])
    if (fs.existsSync(path.join(root, one))) throw new CommandError(`${one} is there already`);
  for (const [one, text] of Object.entries({ [file]: declaration(named), [test]: testOf(named) })) {
    writeFile(path.join(root, one), text);
    out(`wrote ${one}\n`);
  }
  for (const line of await writeGenerated(root)) out(`${line}\n`);
  out(next(named, { file, test, addresses: addressesOf(root) }));
  return 0;
}

/** @throws UsageError when it is not regular. */
function singularOf(collection: string): string {
  const rules: [RegExp, string][] = [
    [/ies$/, 'y'],
    [/(ss|sh|ch|x|z)es$/, '$1'],
    [/([^s])s$/, '$1'],
  ];
  const rule = rules.find(([ending]) => ending.test(collection));
  if (rule === undefined)
    throw new UsageError(
      `one of '${collection}' is called what? Say it with --name; the collection is the plural`,
    );
  return collection.replace(...rule);
}

function checkName(what: string, text: string): void {
  if (NAME.test(text)) return;
  throw new UsageError(
    `${what}: '${text}' must be lower case, begin with a letter, go on with letters, digits and hyphens, and have at most 40`,
  );
}

function checkNames({ collection, name, tenant }: Named): void {
  checkName('--name', name);
  if (isTaken(collection))
    throw new UsageError(`collection: '${collection}' is a path or a function of ours or of a cloud`);
  if (isReservedEntity(name)) throw new UsageError(`--name: '${name}' is a kind of record of our own`);
  if (collection === name) throw new UsageError(`--name: '${name}' must be another one than the collection`);
  if (tenant !== undefined && !/^[A-Za-z_][\w:./-]{0,99}$/.test(tenant))
    throw new UsageError(`--tenant: '${tenant}' is no name of a claim`);
}

function declaration({ collection, name, tenant }: Named): string {
  const access =
    tenant === undefined
      ? `  // access: { owner: 'customerId' } makes each record its owner's, and \`tenant\` is part of its key: neither can be added
  // to this entity later, nor taken away. Decide before the first record is written.
`
      : `  // Part of the key of a record: it cannot be taken away or changed once there are records.
  access: { tenant: '${tenant}' },
`;
  return `/**
 * \`/${collection}\`, at both clouds. All that serves it follows from this file: functions, routes, roles, validators, the
 * contract. Delete the file and its test and run \`npm run generate\`, and all of that is gone; the records stay in the
 * stores.
 *
 * What else an entity can say: docs/entity.md, and the types in src/shared/domain/define-entity.ts.
 */
import { defineEntity } from '../domain/define-entity.ts';

export const ${camel(name)} = defineEntity({
  // Begins the keys of its records, so neither of these three changes once there are some.
  name: '${name}',
  collection: '${collection}',
  idField: '${camel(name)}Id',
  description: 'One of the ${collection.replaceAll('-', ' ')}',
  // What a creation must have.
  required: ['title'],
  // JSON Schema of each value. \`merge\` says what becomes of writes that two sites take at the same time: the newer one wins
  // unless it is 'set' (a list to which both add) or 'counter' (a whole number, changed by increments).
  fields: {
    title: { type: 'string', minLength: 1, maxLength: 200 },
    labels: {
      type: 'array',
      maxItems: 20,
      items: { type: 'string', minLength: 1, maxLength: 40 },
      merge: 'set',
    },
  },
${access}  // Of a creation: in the contract, tried by the smoke test, written by \`npm start -- --seed\`.
  example: { title: 'The first', labels: ['new'] },
});
`;
}

function testOf({ collection, name }: Named): string {
  const it = camel(name);
  return `import { expect, test } from '@jest/globals';
import { createSchema, patchSchema } from '../../../src/shared/domain/entity-schemas.ts';
import { ${it} } from '../../../src/shared/entities/${name}.ts';

test('a creation of one of the ${collection.replaceAll('-', ' ')} needs a title, and takes nothing that is not declared', () => {
  expect(createSchema(${it})).toMatchObject({ required: ['title'], additionalProperties: false });
  expect(Object.keys(createSchema(${it}).properties)).toEqual(['${it}Id', 'title', 'labels']);
});

test('clients change its title and its labels', () => {
  expect(Object.keys(patchSchema(${it}).properties)).toEqual(['title', 'labels']);
});
`;
}

interface Addresses {
  /** Base URLs of two sites: of those that run here, or where `npm start` serves unless ports are named. */
  readonly writeAt: string;
  readonly readAt: string;
  /** Whether every request needs a token. */
  readonly isProtected: boolean;
}

function addressesOf(root: string): Addresses {
  const running = localSites(path.join(root, '.tandem'));
  const { aws, azure } = HOST_PORTS;
  const urls = running?.sites.map(({ url }) => url) ?? [aws, azure].map((port) => `http://${HOST}:${port}`);
  const [writeAt = '', readAt = writeAt] = urls;
  return { writeAt, readAt, isProtected: running?.issuer !== undefined };
}

interface Next {
  readonly file: string;
  readonly test: string;
  readonly addresses: Addresses;
}

/** Without an id, which an owner may not choose: the command works also once the entity has owners. */
function next({ collection, tenant }: Named, { file, test, addresses }: Next): string {
  const { writeAt, readAt, isProtected } = addresses;
  const tenancy =
    tenant === undefined
      ? `No tenant: records are not kept apart by tenant, and access.tenant cannot be added later.`
      : `The claim '${tenant}' names the tenant. It is part of every key and cannot be changed later.`;
  const headers = [
    ...(tenant === undefined || isProtected ? [] : [" -H 'X-Tandem-Tenant: acme'"]),
    ...(isProtected ? [' -H "authorization: Bearer $TOKEN"'] : []),
  ].join('');
  const token = isProtected ? 'TOKEN=$(npm run -s tandem -- token)\n     ' : '';
  return `
${tenancy}

Next:
  1. Say in ${file} what it is. While npm start runs, both sites serve it as soon as you
     save it; without npm start: npm run generate
  2. npm test -- ${test}
  3. ${token}curl -i ${writeAt}/${collection}${headers} -H 'content-type: application/json' -d '{"title":"The first"}'
     curl -i ${readAt}/${collection}${headers}
`;
}
