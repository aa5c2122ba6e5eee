import { describe, expect, test } from '@jest/globals';
import type { Metafile } from 'esbuild';
import { bytesByPackage, foreignPackages, packageOf } from '../../scripts/bench/bundle/contents.ts';

describe('the package of a file', () => {
  test.each([
    ['src/handlers/users.ts', '(ours)'],
    ['node_modules/uuid/dist/v7.js', 'uuid'],
    ['node_modules/@azure/cosmos/dist/index.js', '@azure/cosmos'],
    ['node_modules/@azure/identity/node_modules/open/index.js', 'open'],
  ])('%s belongs to %s', (file, name) => {
    expect(packageOf(file)).toBe(name);
  });
});

test('bytes are added up by package, largest first, and what was shaken off is left out', () => {
  const input = (bytesInOutput: number): { bytesInOutput: number } => ({ bytesInOutput });
  const output = {
    inputs: {
      'src/a.ts': input(10),
      'node_modules/x/1.js': input(30),
      'node_modules/x/2.js': input(5),
      'node_modules/y/index.js': input(0),
    },
  } as unknown as Metafile['outputs'][string];
  expect([...bytesByPackage(output)]).toEqual([
    ['x', 35],
    ['(ours)', 10],
  ]);
});

describe('packages of the other cloud', () => {
  const packages = new Map([
    ['@smithy/core', 1],
    ['@azure/core-amqp', 1],
    ['rhea-promise', 1],
    ['uuid', 1],
  ]);

  test('are found on AWS', () => {
    expect(foreignPackages('aws', 'users', packages)).toEqual(['@azure/core-amqp', 'rhea-promise']);
  });

  test('are found on Azure', () => {
    expect(foreignPackages('azure', 'apply', packages)).toEqual(['@smithy/core']);
  });

  test.each(['forward', 'sweep', 'verify'])('belong into %s, which sends to the other cloud', (bundle) => {
    expect(foreignPackages('aws', bundle, packages)).toEqual([]);
  });
});
