/** Bundles of a site under `sls offline` are those of the sources as they are. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { closeAfterEach } from '../../../tests/helpers/cleanup.ts';
import { bundleTogether, type EsbuildPlugin } from '../src/bundle-together.ts';
import { newestRun } from '../src/newest-run.ts';

describe('a run that catches up with the newest state', () => {
  test('begins after it was asked for, also when one is under way, and once for all who ask meanwhile', async () => {
    let state = 0;
    const seen: number[] = [];
    const gates: PromiseWithResolvers<undefined>[] = [];
    const run = newestRun(async () => {
      seen.push(state);
      const gate = Promise.withResolvers<undefined>();
      gates.push(gate);
      await gate.promise;
    });
    const first = run();
    state = 1;
    const others = [run(), run(), run()];
    gates[0]?.resolve(undefined);
    await first;
    await Promise.resolve();
    state = 2;
    const last = run();
    gates[1]?.resolve(undefined);
    await Promise.all(others);
    await Promise.resolve();
    gates[2]?.resolve(undefined);
    await last;
    expect(seen).toEqual([0, 1, 2]);
  });

  test('is one at a time, also for who asks between the end of one and the begin of the next', async () => {
    let running = 0;
    let most = 0;
    const run = newestRun(async () => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
    });
    const first = run();
    const all = [first, run()];
    // A promise that settles a little later each time.
    let later = Promise.resolve();
    for (let n = 0; n < 20; n += 1) {
      later = later.then(() => {
        all.push(run());
      });
    }
    await later;
    await Promise.all(all);
    expect(most).toBe(1);
  });

  test('that fails is the failure of those who asked for it, and the next one begins all the same', async () => {
    let fails = true;
    const run = newestRun(() => (fails ? Promise.reject(new Error('broken source')) : Promise.resolve()));
    const first = run();
    const second = run();
    await expect(first).rejects.toThrow('broken source');
    await expect(second).rejects.toThrow('broken source');
    fails = false;
    await run();
  });
});

describe('a bundle', () => {
  const onCleanup = closeAfterEach();
  let dir: string;

  beforeEach(() => {
    dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'bundle-')));
  });

  afterEach(() => {
    fs.rmSync(dir, { recursive: true });
  });

  test('has a change that was saved while the bundle before it was being made', async () => {
    const plugin: EsbuildPlugin = {
      buildOptions: { bundle: true, format: 'cjs', platform: 'node', outputFileExtension: '.cjs' },
      buildDirPath: path.join(dir, 'out'),
      functionEntries: [{ entry: 'handler.ts' }],
      prepare: () => undefined,
      bundle: () => Promise.resolve(),
    };
    onCleanup(bundleTogether(plugin, dir));
    const save = (version: number): void =>
      fs.writeFileSync(path.join(dir, 'handler.ts'), `export const version = 'version ${version}';`);
    for (let version = 0; version < 20; version += 2) {
      save(version);
      const underWay = plugin.bundle();
      // As far as esbuild has got by then: the event loop turns while it works.
      await new Promise((resolve) => setImmediate(resolve));
      save(version + 1);
      await plugin.bundle();
      await underWay;
      expect(fs.readFileSync(path.join(dir, 'out/handler.cjs'), 'utf8')).toContain(`version ${version + 1}`);
    }
  });
});
