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
  modulePathIgnorePatterns: ['<rootDir>/\\.(artifacts|esbuild|serverless|tandem|peers|bench)/'],
};

const forCloud = (cloud) => ({
  ...base,
  displayName: cloud,
  testEnvironmentOptions: { customExportConditions: ['node', 'node-addons', cloud] },
  testMatch: ['<rootDir>/tests/both/**/*.test.ts'],
});

export default {
  // A bound against what hangs, not a demand: machines differ by a factor of three, and are shared.
  testTimeout: 300_000,
  // Tests wait for servers and processes most of the time: one more than there are cores keeps all of them busy.
  maxWorkers: os.availableParallelism() + 1,
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
