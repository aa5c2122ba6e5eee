/** What follows from the files in src/shared/entities, in a project of its own; and what is said about one that is wrong. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { generate, writeGenerated } from '../../scripts/generate/generate.ts';
import { newEntity } from '../../scripts/generate/new-entity.ts';
import { routeFiles } from '../../scripts/generate/route-files.ts';
import { isTaken } from '../../src/shared/domain/declaration-mistakes.ts';
import { defineEntity } from '../../src/shared/domain/define-entity.ts';
import { defineRoutes } from '../../src/shared/domain/routes/define-routes.ts';
import { removeOwnDeclarations } from '../helpers/own-declarations.ts';

const ROOT = path.join(import.meta.dirname, '../..');

/** A project with what the declarations are made of. */
let dir: string;
const at = (file: string): string => path.join(dir, file);
const read = (file: string): string => fs.readFileSync(at(file), 'utf8');

interface InDefinitions {
  readonly function: string;
  readonly handler: string;
}
const inDefinitions = (): readonly InDefinitions[] =>
  JSON.parse(read('infra/entities.json')) as InDefinitions[];

beforeEach(() => {
  dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-entities-')));
  for (const name of ['src/shared', 'src/handlers/entities', 'package.json'])
    fs.cpSync(path.join(ROOT, name), at(name), { recursive: true });
  removeOwnDeclarations(dir);
  fs.symlinkSync(path.join(ROOT, 'node_modules'), at('node_modules'));
  // The client is written, too, and so is a copy: through a link it would be ours.
  for (const name of fs.readdirSync(path.join(ROOT, 'packages'))) {
    const [from, to] = [path.join(ROOT, 'packages', name), at(`packages/${name}`)];
    if (name === 'client') fs.cpSync(from, to, { recursive: true });
    else {
      fs.mkdirSync(at('packages'), { recursive: true });
      fs.symlinkSync(from, to);
    }
  }
});
afterEach(() => {
  fs.rmSync(dir, { recursive: true });
});

describe('generating', () => {
  test('leaves nothing of an entity whose file is gone', async () => {
    // Routes that use it go first.
    for (const folder of ['src/shared/entities', 'src/shared/routes'])
      for (const file of fs.readdirSync(at(folder)))
        if (file.endsWith('.ts')) fs.rmSync(at(`${folder}/${file}`));
    const done = await writeGenerated(dir);
    expect(done).toContain('deleted src/handlers/entities/users.ts');
    expect(fs.readdirSync(at('src/handlers/entities'))).toEqual([]);
    expect(inDefinitions()).toEqual([]);
    for (const file of [
      'openapi.yaml',
      'src/shared/generated/validators.js',
      'src/shared/registry/entities.ts',
    ])
      expect(read(file)).not.toMatch(/users?\b/i);
  });

  test('is asked for when something is stale, or left over', async () => {
    const printed = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    await writeGenerated(dir);
    expect(await generate({ check: true, root: dir })).toBe(0);
    fs.renameSync(at('src/shared/entities/user.ts'), at('src/shared/entities/person.ts'));
    expect(await generate({ check: true, root: dir })).toBe(1);
    await writeGenerated(dir);
    fs.writeFileSync(at('src/handlers/entities/ghosts.ts'), '');
    expect(await generate({ check: true, root: dir })).toBe(1);
    expect(printed).toHaveBeenLastCalledWith(
      'src/handlers/entities/ghosts.ts is of no declaration: run npm run generate',
    );
    printed.mockRestore();
    expect(await writeGenerated(dir)).toEqual(['deleted src/handlers/entities/ghosts.ts']);
  });

  test('makes names of code from names with hyphens', async () => {
    await newEntity({ collection: 'order-lines', name: undefined, tenant: undefined }, () => undefined, dir);
    expect(inDefinitions()).toContainEqual(
      expect.objectContaining({
        function: 'orderLines',
        handler: 'src/handlers/entities/order-lines.handler',
      }),
    );
    expect(read('src/handlers/entities/order-lines.ts')).toContain(
      'serveEntity(orderLine, {\n  create: orderLineCreate,\n  patch: orderLinePatch,\n  stored: orderLineStored,',
    );
    expect(read('openapi.yaml')).toMatch(/operationId: listOrderLines\n[^]*OrderLineCreate:/);
  });

  test('makes a function of a file of routes, with what it may do, and leaves nothing of one that is gone', async () => {
    fs.mkdirSync(at('src/shared/routes'), { recursive: true });
    fs.writeFileSync(at('src/shared/routes/rates.ts'), RATES);
    await writeGenerated(dir);
    const declared = JSON.parse(read('infra/routes.json')) as { name: string }[];
    expect(declared.filter(({ name }) => name === 'spot-rates')).toEqual([
      {
        ...{ name: 'spot-rates', function: 'spotRates', handler: 'src/handlers/routes/spot-rates.handler' },
        ...{
          reads: true,
          writes: false,
          slots: [],
          reacts: false,
          asks: true,
          secrets: ['rates-key'],
          cached: false,
        },
      },
    ]);
    expect(read('src/handlers/routes/spot-rates.ts')).toContain(
      'getRate: { params: getRate$params, input: getRate$input, output: getRate$output },',
    );
    expect(read('openapi.yaml')).toMatch(
      /\/spot-rates\/\{currency\}:\n[^]*operationId: getRate\n[^]*GetRateOutput:/,
    );
    expect(read('packages/client/src/generated/operations.ts')).toContain(
      '"path":"/spot-rates/{currency}","keyed":true,"repeat":"here"',
    );
    expect(await generate({ check: true, root: dir })).toBe(0);
    fs.rmSync(at('src/shared/routes/rates.ts'));
    expect(await writeGenerated(dir)).toContain('deleted src/handlers/routes/spot-rates.ts');
    for (const file of ['openapi.yaml', 'infra/routes.json', 'src/shared/generated/validators.js'])
      expect(read(file)).not.toMatch(/spot-rates|getRate/i);
  });

  test.each([
    ['write', 'run', true],
    ['write', 'onDuplicate', true],
    ['write', undefined, false],
    ['read', 'run', false],
  ] as const)('lets routes that %s what may be reacted to (%s) wake that: %s', (right, reacts, isTrue) => {
    const run = () => Promise.resolve(undefined);
    const entity = defineEntity({
      name: 'seat',
      collection: 'seats',
      idField: 'seatId',
      description: 'A seat',
      required: [],
      fields: { code: { type: 'string' } },
      unique: ['code'],
      ...(reacts === 'run' && { reactions: { tell: { on: ['code'], when: () => true, run } } }),
      ...(reacts === 'onDuplicate' && { onDuplicate: { run } }),
      example: {},
    });
    const value = defineRoutes({
      name: 'halls',
      description: 'Halls',
      uses: { records: { seat: right } },
      operations: {
        fill: { method: 'POST', path: '/halls', summary: 'Fill', handle: () => undefined },
      },
    });
    const file = 'src/shared/routes/hall.ts';
    const declarations = {
      entities: [{ file: 'src/shared/entities/seat.ts', exportName: 'seat', entity }],
      routes: [{ file, exportName: 'halls', value }],
    };
    const data = JSON.parse(routeFiles(declarations, {})['infra/routes.json'] ?? '') as object;
    expect(data).toEqual([expect.objectContaining({ writes: right === 'write', reacts: isTrue })]);
  });

  test('reports every mistake of every file of routes, also those that only all files together show', async () => {
    fs.mkdirSync(at('src/shared/routes'), { recursive: true });
    fs.writeFileSync(at('src/shared/routes/rates.ts'), RATES);
    fs.writeFileSync(at('src/shared/routes/wrong.ts'), WRONG_ROUTES);
    const message = await writeGenerated(dir).catch((error: unknown) => (error as Error).message);
    const place = 'src/shared/routes/wrong.ts';
    expect(String(message).split('\n').sort()).toEqual(
      [
        `${place}:4:3: user: name: the path /user, or the function that answers there, is that of src/shared/entities/user.ts`,
        `${place}:6:22: user: uses.records.user: must be read or write`,
        `${place}:6:38: user: uses.records.film: is no declared entity`,
        `${place}:6:64: user: uses.secrets: A_KEY must be lower-case letters, digits and single dashes, 127 at most`,
        `${place}:6:85: user: uses.settings: from is no setting of src/shared/config/own-settings.ts`,
        `${place}:8:5: user: operations.getRate: the operation getRate is in src/shared/routes/rates.ts already`,
        `${place}:8:5: user: operations.getRate: the schema GetRateOutput is in src/shared/routes/rates.ts already`,
        `${place}:8:31: user: operations.getRate.path: must be /user, or below it: a file has one first segment`,
        `${place}:9:17: user: operations.getRate.params.a: is no parameter of the path`,
        `${place}:10:16: user: operations.getRate.input.b: is part of a query: its items must be of type string`,
        `${place}:10:51: user: operations.getRate.required: c is no declared input`,
        `${place}:11:17: user: operations.getRate.output.d: strict mode: unknown keyword: "typ"`,
        `${place}:13:5: user: operations.listUsers: the operation listUsers is in the contract already`,
        `${place}:14:31: user: operations.readOne.path: GET /user/b/{c} may be meant by what listUsers answers, /user/{a}/d`,
      ].sort(),
    );
  });

  test('reports every mistake of every file with its place', async () => {
    fs.writeFileSync(at('src/shared/entities/a.ts'), WRONG);
    fs.writeFileSync(at('src/shared/entities/b.ts'), 'export const = 3;\n');
    fs.writeFileSync(at('src/shared/entities/zebra.ts'), TWIN);
    fs.writeFileSync(
      at('src/shared/entities/d.ts'),
      "import { defineEntity } from '../domain/define-entity.ts';\nexport const d = defineEntity({ name: 'd' } as never);\n",
    );
    const message = await writeGenerated(dir).catch((error: unknown) => (error as Error).message);
    expect(String(message).split('\n').sort()).toEqual(
      [
        'src/shared/entities/a.ts:5:3: a: collection: must be lower case, and no path of our own',
        'src/shared/entities/a.ts:8:23: a: required: nothing is no declared field',
        'src/shared/entities/a.ts:12:29: a: fields.tags.merge: a set needs a field of type array',
        'src/shared/entities/a.ts:2:49: a: fields.loan.states.allowed: out to in goes against the order',
        'src/shared/entities/b.ts:1:14: Variable declaration expected.',
        'src/shared/entities/b.ts:1:16: Variable declaration expected.',
        'src/shared/entities/zebra.ts:8:29: c: fields.kind: strict mode: unknown keyword: "typ"',
        'src/shared/entities/zebra.ts:9:44: c: fields.shade.default: must NOT have more than 2 characters',
        ...['collection', 'idField', 'description'].map(
          (name) => `src/shared/entities/d.ts:2:18: d: ${name}: must be a text`,
        ),
        'src/shared/entities/d.ts:2:18: d: required: must be a list of fields',
        'src/shared/entities/d.ts:2:18: d: fields: must be schemas by their fields',
        'src/shared/entities/d.ts:2:18: d: example: must be an object',
        'src/shared/entities/zebra.ts:5:3: c: collection: the path /users, or the function that answers there, is that of src/shared/entities/user.ts',
      ].sort(),
    );
  });
});

describe('new entity', () => {
  const make = async (collection: string, name?: string, tenant?: string): Promise<string> => {
    let printed = '';
    await newEntity({ collection, name, tenant }, (text) => (printed += text), dir);
    return printed;
  };

  test.each([
    ['bookings', 'booking'],
    ['categories', 'category'],
    ['addresses', 'address'],
    ['boxes', 'box'],
    ['houses', 'house'],
  ])('of %s is called %s', async (collection, name) => {
    expect(await make(collection)).toContain(`wrote src/shared/entities/${name}.ts`);
    expect(read(`tests/unit/entities/${name}.test.ts`)).toContain(`${name}Id`);
  });

  test('says that a tenant cannot be added later, and what to do next', async () => {
    expect(await make('bookings')).toMatch(
      /access\.tenant cannot be added later[^]*Next:[^]*:3000\/bookings -H 'content-type[^]*:7071\/bookings\n/,
    );
    expect(await make('people', 'person', 'org')).toMatch(
      /The claim 'org' names the tenant[^]*:7071\/people -H 'X-Tandem-Tenant: acme'\n/,
    );
    expect(read('src/shared/entities/person.ts')).toContain("access: { tenant: 'org' }");
  });

  test('prints addresses of the stack that runs, and how to get a token where one is needed', async () => {
    const site = (name: string, port: number): object => ({ site: name, url: `http://127.0.0.1:${port}` });
    const issuer = { url: 'http://127.0.0.1:3', pid: 1 };
    const sites = [site('aws-us-east-1', 23_001), site('azure-eastus', 23_002)];
    fs.mkdirSync(at('.tandem'));
    fs.writeFileSync(at('.tandem/stack.json'), JSON.stringify({ version: 1, issuer, sites }));
    expect(await make('bookings')).toMatch(
      /TOKEN=\$\(npm run -s tandem -- token\)\n +curl -i http:\/\/127\.0\.0\.1:23001\/bookings -H "authorization: Bearer \$TOKEN"[^]*:23002\/bookings -H "auth/,
    );
  });

  test('what it wrote goes again with the file and its test, and a test that is left over is named', async () => {
    await make('bookings');
    const printed = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    fs.rmSync(at('src/shared/entities/booking.ts'));
    await writeGenerated(dir);
    expect(await generate({ check: true, root: dir })).toBe(1);
    expect(printed.mock.calls).toEqual([
      [
        'tests/unit/entities/booking.test.ts is a test of src/shared/entities/booking.ts, which is gone: delete it, too',
      ],
    ]);
    printed.mockRestore();
    fs.rmSync(at('tests/unit/entities/booking.test.ts'));
    expect(await generate({ check: true, root: dir })).toBe(0);
  });

  test.each([
    ['a plural that is not regular', ['staff'], /Say it with --name/],
    ['a path of ours', ['items'], /is a path or a function/],
    ['a beginning of a cloud', ['administrators'], /is a path or a function/],
    ['what is no name', ['Books'], /must be lower case/],
    ['a kind of record of ours', ['pauses'], /'pause' is a kind of record of our own/],
    ['an entity that exists', ['users'], /user\.ts has the name user/],
    ['an alias of one', ['user', 'account'], /user\.ts has/],
  ])('refuses %s', async (_what, [collection = '', name], reason) => {
    await expect(make(collection, name)).rejects.toThrow(reason);
    expect(fs.existsSync(at('tests/unit/entities'))).toBe(false);
  });
});

const definition = (cloud: string): string =>
  fs.readFileSync(path.join(ROOT, `serverless.${cloud}.yml`), 'utf8');

test('no entity takes the name of a function of either definition', () => {
  const names = ['aws', 'azure'].flatMap((cloud) =>
    [...definition(cloud).matchAll(/^ {2}(?:- | {2})([a-zA-Z]+):(?:$| \$)/gm)].map(([, name = '']) => name),
  );
  const functions = names.filter((name) => definition('aws').includes(`\n    ${name}:\n      handler`));
  expect(functions).toEqual(expect.arrayContaining(['forward', 'verifyHourly']));
  for (const name of functions) expect([name, isTaken(name.toLowerCase())]).toEqual([name, true]);
});

const RATES = `import { defineRoutes } from '../domain/routes/define-routes.ts';
export const rates = defineRoutes({
  name: 'spot-rates',
  description: 'x',
  uses: { records: { user: 'read' }, secrets: ['rates-key'] },
  operations: {
    getRate: { method: 'POST', path: '/spot-rates/{currency}', summary: 'x', keyed: true,
      input: { a: { type: 'string' } }, output: { rate: { type: 'number' } }, handle: () => ({ rate: 1 }) },
    wake: { method: 'POST', path: '/spot-rates', summary: 'x', access: 'everybody', handle: () => undefined },
  },
});
`;

const WRONG_ROUTES = `import { defineRoutes } from '../domain/routes/define-routes.ts';
const handle = () => undefined as never;
export const wrong = defineRoutes({
  name: 'user',
  description: 'x',
  uses: { records: { user: 'delete', film: 'read' }, secrets: ['A_KEY'], settings: ['from'] } as never,
  operations: {
    getRate: { method: 'GET', path: '/users', summary: 'x', handle,
      params: { a: {} },
      input: { b: { type: 'array' } }, required: ['c' as never],
      output: { d: { typ: 'string' } },
    },
    listUsers: { method: 'GET', path: '/user/{a}/d', summary: 'x', handle },
    readOne: { method: 'GET', path: '/user/b/{c}', summary: 'x', handle },
  },
});
`;

const WRONG = `import { defineEntity } from '../domain/define-entity.ts';
const walk = { order: ['in', 'out'], allowed: { out: ['in'] } } as const;
export const a = defineEntity({
  name: 'a',
  collection: 'admins',
  idField: 'aId',
  description: 'x',
  required: ['title', 'nothing' as never],
  fields: {
    title: { type: 'string' },
    loan: { states: walk },
    tags: { type: 'string', merge: 'set' },
  },
  example: { title: 'x' },
});
`;

/** After that of users. */
const TWIN = `import { defineEntity } from '../domain/define-entity.ts';
export const c = defineEntity({
  name: 'c',
  ...{ idField: 'cId' },
  collection: 'users',
  description: 'x',
  required: [],
  fields: { title: {}, ...{ kind: { typ: 'string' } },
    shade: { type: 'string', maxLength: 2, default: 'red' } },
  example: {},
});
`;
