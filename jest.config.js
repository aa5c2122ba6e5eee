import os from 'node:os';

/**
 * Two projects run the same tests with the other cloud's adapters behind `#cloud`; everything else runs once.
 * Sources are native ES modules, so jest runs with --experimental-vm-modules (scripts/test.ts passes it).
 */
const base = {
  testEnvironment: '<rootDir>/jest.environment.js',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript' },
          // Node wants `with { type: 'json' }` where JSON is imported.
          experimental: { keepImportAttributes: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
  // What only esbuild makes something of.
  moduleNameMapper: { '/vips-files\\.ts$': '<rootDir>/tests/helpers/vips-files.ts' },
  modulePathIgnorePatterns: ['<rootDir>/\\.(artifacts|esbuild|serverless|tandem|peers|bench)/'],
};

const forCloud = (cloud) => ({
  ...base,
  displayName: cloud,
  testEnvironmentOptions: { customExportConditions: ['node', 'node-addons', cloud] },
  testMatch: ['<rootDir>/tests/both/**/*.test.ts'],
});

/** Of a worker, which keeps what its files have loaded, and of the processes that they start. */
const WORKER_BYTES = 2.5 * 1024 ** 3;

/**
 * Most files wait most of their time, for processes, time-outs and queues: two for each processor keep it busy, as far as the
 * memory goes. With more of them the product's own bounds (a call of a store has 1.5 s) are met for want of a processor.
 */
const workers = () =>
  Math.max(2, Math.min(2 * os.availableParallelism(), Math.floor(os.totalmem() / WORKER_BYTES)));

export default {
  // A bound against what hangs, not a demand: machines differ by a factor of three, and are shared.
  testTimeout: 300_000,
  maxWorkers: workers(),
  testSequencer: '<rootDir>/jest.sequencer.js',
  projects: [
    {
      ...base,
      displayName: 'all',
      testMatch: ['<rootDir>/tests/**/*.test.ts', '<rootDir>/packages/*/tests/**/*.test.ts'],
      testPathIgnorePatterns: ['<rootDir>/tests/both/', '/node_modules/'],
    },
    forCloud('aws'),
    forCloud('azure'),
  ],
};
