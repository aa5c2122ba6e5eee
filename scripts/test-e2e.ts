/**
 * `npm run test:e2e`: shop and console in a real browser, against a whole stack that clouds are killed in
 * (`tests/e2e/*.browser.ts`).
 *
 * Invariant: a run passes only when something has run. Where there is no browser, it says so, and how to get one.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { needChromium } from '@tandem-clouds/testkit/peers/chromium';
import { Unavailable } from '@tandem-clouds/testkit/peers/peer';
import jestConfig from '../jest.config.js';

const ROOT = path.join(import.meta.dirname, '..');
/** Names the browser, for whoever has several, and for the tests. */
const VARIABLE = 'TANDEM_CHROMIUM';
const PICTURES = 'TANDEM_PICTURES';

interface TestInput {
  /** Where pictures are left; undefined: in the folder for what is temporary. */
  readonly pictures?: string;
  /** Beginnings of the names of files; none: all. */
  readonly suites: readonly string[];
  /** Only tests whose names have this in them; undefined: all. */
  readonly only: string | undefined;
}

/** Returns the exit status: 1 when a test failed, or none could run. */
export async function testEndToEnd({ suites, only, pictures }: TestInput): Promise<number> {
  let browser: string;
  try {
    browser = needChromium(VARIABLE);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.error(`SKIPPED, NOTHING HAS BEEN TESTED: ${error.message}`);
    return 1;
  }
  const [project] = jestConfig.projects;
  const config = {
    ...project,
    rootDir: ROOT,
    testTimeout: 600_000,
    testMatch: (suites.length === 0 ? [''] : suites).map(
      (suite) => `<rootDir>/tests/e2e/${suite}*.browser.ts`,
    ),
  };
  const jest = spawn(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      path.join(ROOT, 'node_modules/jest/bin/jest.js'),
      `--config=${JSON.stringify(config)}`,
      '--runInBand',
      '--verbose',
      ...(only === undefined ? [] : ['--testNamePattern', only]),
    ],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, [VARIABLE]: browser, ...(pictures !== undefined && { [PICTURES]: pictures }) },
    },
  );
  const [code] = (await once(jest, 'exit')) as [number | null];
  return code === 0 ? 0 : 1;
}
