/** What becomes of changes that are saved while others are built, fail, or are given to the sites. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Built } from '../../src/code/app-build.ts';
import { CodeUpdates } from '../../src/code/code-updates.ts';
import type { ResolvedDefinition } from '../../src/code/definition.ts';
import type { Cloud } from '../../src/stack/sites.ts';

const SITES = [
  { cloud: 'aws', region: 'us-east-1', site: 'aws-us-east-1' },
  { cloud: 'azure', region: 'eastus', site: 'azure-eastus' },
] as const;
const DEFINITION = { service: 'tandem' } as ResolvedDefinition;

/** As esbuild: who asks while one builds gets its result, made of what was read at its begin. */
class FakeBuild {
  placed: string[] = [];
  #running: { readonly gate: PromiseWithResolvers<undefined>; readonly result: Promise<Built> } | undefined;
  readonly #source: () => string;

  constructor(source: () => string) {
    this.#source = source;
  }

  build(): Promise<Built> {
    if (this.#running === undefined) {
      const version = this.#source();
      const gate = Promise.withResolvers<undefined>();
      const result = gate.promise
        .finally(() => (this.#running = undefined))
        .then(() => {
          if (version.includes('mistake')) throw new Error(`${version} in line 1`);
          return { version, place: () => void this.placed.push(version) };
        });
      this.#running = { gate, result };
    }
    return this.#running.result;
  }

  get isBuilding(): boolean {
    return this.#running !== undefined;
  }

  end(): void {
    this.#running?.gate.resolve(undefined);
  }
}

let sources: Record<Cloud, string>;
let builds: Record<Cloud, FakeBuild>;
let events: string[];
let resolved: string[];
let definitionOf: () => Promise<ResolvedDefinition>;
let generate: () => Promise<readonly string[]>;
/** Called when an update begins. */
let begun: (() => void) | undefined;
let isOwnWriting: boolean;
let updates: CodeUpdates;

beforeEach(() => {
  sources = { aws: 'first', azure: 'first' };
  builds = { aws: new FakeBuild(() => sources.aws), azure: new FakeBuild(() => sources.azure) };
  events = [];
  resolved = [];
  begun = undefined;
  isOwnWriting = false;
  definitionOf = () => Promise.resolve(DEFINITION);
  generate = () => Promise.resolve([]);
  const of = (cloud: Cloud) => ({ appDir: `/build/${cloud}`, build: () => builds[cloud].build() });
  updates = new CodeUpdates({
    sites: SITES,
    regeneration: {
      atStart: () => Promise.resolve(),
      after: () => generate(),
      isOwnWriting: () => isOwnWriting,
    },
    builds: new Map([
      ['aws', of('aws')],
      ['azure', of('azure')],
    ]),
    definitionOf: ({ site }) => {
      resolved.push(site);
      return definitionOf();
    },
    onCode: (codes, changed) => events.push(`${changed.join()} → ${[...codes.keys()].sort().join()}`),
    onBegin: () => begun?.(),
    onProgress: () => undefined,
    onBuilt: (files) => events.push(`built ${files.join()}`),
    onProblem: (lines) => events.push(...lines.map((line) => `problem: ${line}`)),
  });
});

/** Resolves when so much has come of what was saved. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function endBuilds(): Promise<void> {
  await turn();
  for (const cloud of ['aws', 'azure'] as const) builds[cloud].end();
  await turn();
}

/** With both sites on what is there. */
async function started(): Promise<void> {
  const start = updates.start();
  await endBuilds();
  await start;
  events = [];
  resolved = [];
}

function save(text: string, file = 'src/a.ts'): void {
  sources = { aws: text, azure: text };
  updates.changed([file]);
}

const BOTH = 'aws-us-east-1,azure-eastus';

describe('a change', () => {
  test('is announced before anything is made of it, and one that is the own writing of a generation is not', async () => {
    await started();
    begun = () => events.push('begun');
    generate = () => {
      events.push('generated');
      return Promise.resolve([]);
    };
    isOwnWriting = true;
    updates.changed(['src/generated.ts']);
    await turn();
    isOwnWriting = false;
    save('second');
    await endBuilds();
    expect(events).toEqual(['begun', 'generated', `src/a.ts → ${BOTH}`, 'built src/a.ts']);
  });

  test('is given to the sites for which it makes other code', async () => {
    await started();
    sources.azure = 'second';
    updates.changed(['src/a.ts']);
    await endBuilds();
    expect(events).toEqual(['src/a.ts → azure-eastus', 'built src/a.ts']);
    expect(builds.azure.placed).toEqual(['first', 'second']);
  });

  test('that mends a mistake is built by both clouds, also when one has failed and the other has not ended yet', async () => {
    await started();
    save('mistake');
    await turn();
    builds.aws.end();
    await turn();
    // As soon as anything could be seen of it.
    save('mended');
    await turn();
    await endBuilds();
    await endBuilds();
    expect(events).toEqual(['problem: mistake in line 1', `src/a.ts → ${BOTH}`, 'built src/a.ts']);
    expect([builds.aws.placed, builds.azure.placed]).toEqual([
      ['first', 'mended'],
      ['first', 'mended'],
    ]);
  });

  test('that one cloud cannot build is at none, and at both when the other builds too', async () => {
    await started();
    sources = { aws: 'second', azure: 'mistake' };
    updates.changed(['src/a.ts']);
    await endBuilds();
    expect(events).toEqual(['problem: mistake in line 1']);
    expect(builds.aws.placed).toEqual(['first']);
    sources.azure = 'second';
    updates.changed(['src/azure.ts']);
    await endBuilds();
    expect(events.slice(1)).toEqual([`src/azure.ts → ${BOTH}`, 'built src/a.ts,src/azure.ts']);
  });

  test('that comes while the start builds is built after it', async () => {
    const start = updates.start();
    await turn();
    save('second');
    await endBuilds();
    await start;
    expect(builds.aws.isBuilding).toBe(true);
    await endBuilds();
    expect(events.slice(-2)).toEqual([`src/a.ts → ${BOTH}`, 'built src/a.ts']);
  });

  test('that is taken back is reported, although no site gets anything', async () => {
    await started();
    save('mistake');
    await endBuilds();
    save('first');
    await endBuilds();
    expect(events.slice(1)).toEqual(['src/a.ts → ', 'built src/a.ts']);
  });
});

describe('what failed is done by the next update', () => {
  test('a definition that could not be resolved', async () => {
    await started();
    const works = definitionOf;
    definitionOf = () => Promise.reject(new Error('no such variable'));
    updates.changed(['serverless.aws.yml']);
    await endBuilds();
    // Both say so: one line.
    expect(events).toEqual(['problem: no such variable']);
    definitionOf = works;
    resolved = [];
    save('second');
    await endBuilds();
    expect(resolved).toHaveLength(2);
    expect(events.slice(1)).toEqual([`src/a.ts → ${BOTH}`, 'built serverless.aws.yml,src/a.ts']);
  });

  test('whatever fails, the next change is taken', async () => {
    await started();
    generate = () => Promise.reject(new Error('no generator'));
    save('second');
    await turn();
    builds.aws.build = () => Promise.reject(new Error('no esbuild'));
    generate = () => Promise.resolve([]);
    save('third');
    await endBuilds();
    builds.aws = new FakeBuild(() => sources.aws);
    save('fourth');
    await endBuilds();
    expect(events).toEqual([
      'problem: no generator',
      'problem: no esbuild',
      `src/a.ts → ${BOTH}`,
      'built src/a.ts',
    ]);
  });
});
