/** What somebody sees who changes the code while `npm start` runs, and who debugs it. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Debugger } from '../helpers/debugger.ts';
import { type CopiedStack, startCopiedStack } from '../helpers/project-copy.ts';
import { waitUntil } from '../helpers/wait-until.ts';

let copy: CopiedStack;

beforeAll(async () => {
  copy = await startCopiedStack('--inspect');
});

afterAll(async () => {
  await copy.stop();
});

const sites = () => copy.stack.sites;
const responsesOf = (route: string, init?: RequestInit) =>
  Promise.all(sites().map(async ({ url }) => fetch(url + route, init)));

/** Resolves when both sites answer so. */
async function shown(what: string, sample: () => Promise<boolean>): Promise<void> {
  await waitUntil(what, async () => (await sample()) || undefined);
}

async function everySite(route: string, has: string, init?: RequestInit): Promise<boolean> {
  const texts = await Promise.all((await responsesOf(route, init)).map((response) => response.text()));
  return texts.every((text) => text.includes(has));
}

const reported = (text: string | RegExp) => async () =>
  Promise.resolve(typeof text === 'string' ? copy.output().includes(text) : text.test(copy.output()));

describe('a change shows at both sites, with one line', () => {
  test('of a handler, saved in place', async () => {
    copy.edit('src/handlers/region.ts', "status: 'ok'", "status: 'changed in place'");
    await shown('the change', () => everySite('/region', 'changed in place'));
    await shown('the line', reported(/Changed after .*: src\/handlers\/region\.ts, at .*aws-us-east-1/));
    expect(copy.output().match(/^Changed after/gm)).toHaveLength(1);
  });

  test('of a handler, replaced as many editors do', async () => {
    const file = path.join(copy.dir, 'src/handlers/region.ts');
    const text = fs.readFileSync(file, 'utf8').replace('changed in place', 'replaced');
    fs.writeFileSync(`${file}~`, text);
    fs.renameSync(`${file}~`, file);
    await shown('the change', () => everySite('/region', 'replaced'));
  });

  test('of shared code', async () => {
    copy.edit('src/shared/http/problem.ts', 'No such route', 'No route');
    await shown('the change', () => everySite('/nowhere', 'No route'));
  });

  test('of the protocol, which is a package of its own', async () => {
    copy.edit('packages/replication/src/await-states.ts', 'that has not come yet', 'that is still to come');
    // What is built as it was before is sent nowhere: so both have the change.
    const line = /^Changed after .*: packages\/replication\/src\/await-states\.ts, at (.*)$/m;
    await shown('the line', reported(line));
    expect(line.exec(copy.output())?.[1]?.split(', ').sort()).toEqual(
      sites()
        .map(({ site }) => site)
        .sort(),
    );
  });

  test('of a schema, from which validators are generated', async () => {
    copy.edit('src/shared/entities/user.ts', 'maxLength: 200', 'maxLength: 20');
    const body = JSON.stringify({ userId: 'long', name: 'Hedy Lamarr, inventor', email: 'hedy@example.com' });
    const init = { method: 'POST', body, headers: { 'content-type': 'application/json' } };
    await shown('the refusal', () => everySite('/users', 'must NOT have more than 20 characters', init));
  });

  test('of a definition, with a new function in a new file', async () => {
    copy.write('src/handlers/hello.ts', HELLO);
    copy.edit(
      'serverless.aws.yml',
      'functions:\n',
      "functions:\n  - hello:\n      handler: src/handlers/hello.handler\n      role: RegionRole\n      events:\n        - httpApi: { method: '*', path: /hello }\n\n",
    );
    copy.edit(
      'serverless.azure.yml',
      'functions:\n',
      'functions:\n  - hello:\n      handler: src/handlers/hello.handler\n      events:\n        - { <<: *http, route: hello }\n\n',
    );
    await shown('the new function', () => everySite('/hello', 'hello from a new function'));
  });

  test('of the entities: a file more is served by both, in the time of one change, and its deletion ends that', async () => {
    const before = copy.output().length;
    const file = 'src/shared/entities/film.ts';
    copy.write(file, FILM);
    const line = /^Changed after .*: src\/shared\/entities\/film\.ts, at (.*)$/m;
    await shown('the line', () => Promise.resolve(line.test(copy.output().slice(before))));
    expect(line.exec(copy.output().slice(before))?.[1]?.split(', ')).toHaveLength(2);
    const [here, there] = sites();
    const init = { method: 'POST', body: JSON.stringify({ filmId: 'alien', title: 'Alien' }) };
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(`${here!.url}/films`, { ...init, headers })).status).toBe(201);
    await shown('it at the other', async () => (await fetch(`${there!.url}/films/alien`)).status === 200);
    // One line for it, although what was generated has changed too.
    expect(
      copy
        .output()
        .slice(before)
        .match(/^Changed after/gm),
    ).toHaveLength(1);
    fs.rmSync(path.join(copy.dir, file));
    await shown('nothing there', async () =>
      (await responsesOf('/films')).every((response) => response.status === 404),
    );
    expect(fs.existsSync(path.join(copy.dir, 'src/handlers/entities/films.ts'))).toBe(false);
    expect(fs.readFileSync(path.join(copy.dir, 'openapi.yaml'), 'utf8')).not.toContain('/films');
  });

  test('and what fails names the line of its source', async () => {
    await responsesOf('/hello?fail=1');
    for (const { site } of sites()) {
      const log = path.join(copy.dir, `.tandem/logs/${site}.log`);
      await shown(`the stack at ${site}`, () =>
        Promise.resolve(fs.readFileSync(log, 'utf8').includes('src/handlers/hello.ts:9:')),
      );
    }
  });
});

describe('a mistake is reported with file and line, and what was served goes on', () => {
  test.each([
    ['that is no TypeScript', '\nexport const = 3;\n', /region\.ts:19:14: Expected identifier/],
    ['in an import', "\nimport './nowhere.ts';\n", /region\.ts:19:8: Could not resolve "\.\/nowhere\.ts"/],
    ['that shows when it is loaded', "\nthrow new TypeError('at load');\n", /src\/handlers\/region\.ts:19:7/],
  ])('%s', async (_title, mistake, report) => {
    const file = 'src/handlers/region.ts';
    const good = fs.readFileSync(path.join(copy.dir, file), 'utf8');
    const before = copy.output().length;
    copy.write(file, good + mistake);
    await shown('the report', () => Promise.resolve(report.test(copy.output().slice(before))));
    expect(await everySite('/region', 'replaced')).toBe(true);
    copy.write(file, good.replace("'replaced'", "'replaced' + ' and mended'"));
    await shown('the mended one', () => everySite('/region', 'replaced and mended'));
    copy.write(file, good);
    await shown('the one before', async () => !(await everySite('/region', 'and mended')));
  });

  test('that shows in the bridge only: its functions and those behind HTTP stay of one build', async () => {
    const file = 'src/handlers/region.ts';
    const good = fs.readFileSync(path.join(copy.dir, file), 'utf8');
    const before = copy.output().length;
    const mistake =
      "\nif (process.argv[1]?.endsWith('bridge-main.ts')) throw new TypeError('in the bridge');\n";
    copy.write(file, good.replace("'replaced'", "'half taken'") + mistake);
    for (const { site } of sites()) {
      const report = new RegExp(
        `Change not taken, ${site} goes on[^]*?TypeError: in the bridge[^]*?region\\.ts:19`,
      );
      await shown(`the report of ${site}`, () => Promise.resolve(report.test(copy.output().slice(before))));
    }
    expect(await everySite('/region', '"replaced"')).toBe(true);
    copy.write(file, good);
    await shown('the one before, taken', () =>
      Promise.resolve(/^Changed after/m.test(copy.output().slice(before))),
    );
  });

  test('of an entity: every contradiction, and both go on with the one from before', async () => {
    const file = 'src/shared/entities/film.ts';
    copy.write(file, FILM);
    await shown('it', async () => (await responsesOf('/films')).every(({ status }) => status === 200));
    const before = copy.output().length;
    copy.write(file, FILM.replace("['title']", "['title', 'year']").replace("'Alien'", '7'));
    const report = [
      'Change not built, everything stays as it was (src/shared/entities/film.ts)',
      '    src/shared/entities/film.ts:7:23: film: required: year is no declared field',
      '    src/shared/entities/film.ts:9:14: film: example.title: must be string',
    ].join('\n');
    await shown('the report', () => Promise.resolve(copy.output().slice(before).includes(report)));
    expect((await responsesOf('/films')).map(({ status }) => status)).toEqual([200, 200]);
    copy.write(file, FILM);
    await shown('that all is as before', () =>
      Promise.resolve(copy.output().slice(before).includes('Builds again, as before: ')),
    );
  });

  test('of types, which is served all the same', async () => {
    const file = 'src/handlers/region.ts';
    const good = fs.readFileSync(path.join(copy.dir, file), 'utf8');
    const report =
      "    src/handlers/region.ts:19:14: Type 'string' is not assignable to type 'number'. (TS2322)\n";
    // In the order of what a person waits for; unless what was saved before was still being checked, which is tried again.
    await shown('the change, and then the report', async () => {
      const before = copy.output().length;
      const since = (): string => copy.output().slice(before);
      copy.write(file, `${good}\nexport const wrong: number = 'text';\n`);
      await shown('the report', () => Promise.resolve(since().includes(report)));
      const isInOrder = /^Changed after[^]*region\.ts:19:14/m.test(since());
      copy.write(file, good);
      await shown('that they are right', () =>
        Promise.resolve(since().includes('The types are right again.')),
      );
      return isInOrder;
    });
  });

  test.each([
    [
      'a route that is there already, with which no server starts',
      "  - twin:\n      handler: src/handlers/region.handler\n      role: RegionRole\n      events:\n        - httpApi: { method: '*', path: /region }\n\n",
      /Change not taken, aws-us-east-1 goes on[^]*\/region/,
    ],
    [
      'a trigger of a function that is not exported, with which no bridge starts',
      '  - twin:\n      handler: src/handlers/region.nothing\n      role: RegionRole\n      events:\n        - schedule: rate(1 hour)\n\n',
      /Change not taken, aws-us-east-1 goes on[^]*exports no function nothing/,
    ],
  ])('in a definition and in code: %s', async (_title, twin, report) => {
    const [definition, file] = ['serverless.aws.yml', 'src/handlers/region.ts'];
    const good = { [definition]: '', [file]: '' };
    for (const name of [definition, file]) good[name] = fs.readFileSync(path.join(copy.dir, name), 'utf8');
    const before = copy.output().length;
    copy.edit(definition, 'functions:\n', `functions:\n${twin}`);
    copy.edit(file, "'replaced'", "'under old routes'");
    await shown('the report', () => Promise.resolve(report.test(copy.output().slice(before))));
    const { url } = sites().find(({ cloud }) => cloud === 'aws')!;
    expect(await (await fetch(`${url}/region`)).text()).toContain('"replaced"');
    const mended = copy.output().length;
    for (const [name, text] of Object.entries(good)) copy.write(name, text);
    await shown('the one before, taken', () =>
      Promise.resolve(/^Changed after.*aws-us-east-1/m.test(copy.output().slice(mended))),
    );
    expect(await everySite('/region', '"replaced"')).toBe(true);
  });

  test('in a definition', async () => {
    const good = fs.readFileSync(path.join(copy.dir, 'serverless.aws.yml'), 'utf8');
    const before = copy.output().length;
    copy.write('serverless.aws.yml', good.replace('${param:site}', '${param:sight}'));
    await shown('the report', () =>
      Promise.resolve(/serverless\.aws\.yml: .*provider\.stackTags\.site/s.test(copy.output().slice(before))),
    );
    copy.write('serverless.aws.yml', good);
    expect(await everySite('/region', 'replaced')).toBe(true);
  });
});

describe('with --inspect', () => {
  test('the bridges that began with a changed definition have the inspectors of those before', async () => {
    const bridges = sites().flatMap(({ inspectors = [] }) =>
      inspectors.filter(({ part }) => part === 'bridge'),
    );
    expect(bridges).toHaveLength(2);
    for (const { address } of bridges) {
      const targets = await fetch(`http://${address}/json/list`).then((response) => response.json());
      expect(targets).toEqual([
        expect.objectContaining({ title: expect.stringContaining('bridge-main.ts') }),
      ]);
    }
  });

  test('there is an inspector for the functions and the bridge of each cloud, and stack.json has them', () => {
    for (const { site, inspectors = [] } of sites()) {
      expect(inspectors.map(({ part }) => part)).toEqual(['functions', 'bridge']);
      for (const { address } of inspectors) expect(copy.output()).toMatch(new RegExp(`${site} +${address}`));
    }
  });

  test('lines of a source may move', async () => {
    const before = copy.output().length;
    copy.write('src/handlers/hello.ts', `// One line.\n// And another one.\n${HELLO}`);
    // Perhaps in two lines, one a site, and with what else has changed.
    const line = /^Changed after .*, at (.*)$/gm;
    await shown('it at both', () => {
      const lines = [...copy.output().slice(before).matchAll(line)];
      return Promise.resolve(new Set(lines.flatMap(([, names = '']) => names.split(', '))).size === 2);
    });
  });

  test.each(['aws', 'azure'])(
    'a breakpoint in a handler holds a request at %s, in what runs now',
    async (cloud) => {
      const { url, inspectors } = sites().find((site) => site.cloud === cloud)!;
      // What runs now is loaded by who asks for it first.
      await (await fetch(`${url}/hello`)).text();
      const attached = await Debugger.attach(inspectors![0]!.address);
      try {
        // The builds from before, in which the line is elsewhere, are still loaded.
        expect(await attached.breakAt('src/handlers/hello.ts', 11)).toBeGreaterThan(0);
        const response = fetch(`${url}/hello`);
        expect(await attached.pausedOnce()).toMatch(/src\/handlers\/hello\.ts:11$/);
        expect(await (await response).text()).toContain('hello from a new function');
      } finally {
        attached.close();
      }
    },
  );
});

const FILM = `import { defineEntity } from '../domain/define-entity.ts';

export const film = defineEntity({
  name: 'film',
  collection: 'films',
  ...{ idField: 'filmId', description: 'A film' },
  required: ['title'],
  fields: { title: { type: 'string', maxLength: 100 } },
  example: { title: 'Alien' },
});
`;

/** Line 9 is where it answers. */
const HELLO = `import { openRuntime, serve } from '../shared/runtime.ts';

const runtime = openRuntime();
export const handler = serve(runtime, [
  {
    method: 'GET',
    path: '/hello',
    handle: ({ query }) => {
      if (query['fail'] === '1') throw new Error('on purpose');
      return { status: 200, body: { text: 'hello from a new function' } };
    },
  },
]);
`;
