import { describe, expect, test } from '@jest/globals';
import { CLOUDS, parseDefinition, readServiceBundles } from '../../scripts/bench/service-bundles.ts';

const definition = `
custom:
  esbuild:
    bundle: true
    format: cjs
    outputFileExtension: .cjs
    outputWorkFolder: .esbuild/here
    conditions: [aws]
    exclude: [left-out]
    watch: { pattern: [src] }
  http: &http { http: true }
functions:
  users: { handler: src/handlers/users.handler, events: [{ <<: *http, route: users }] }
  user: { handler: src/handlers/users.handler }
  apply: { handler: src/bridge/apply.handler }
`;

describe('a service definition', () => {
  test('yields the options of esbuild and none of the plugin', () => {
    expect(parseDefinition(definition).options).toEqual({
      platform: 'node',
      external: ['left-out'],
      bundle: true,
      format: 'cjs',
      conditions: ['aws'],
    });
  });

  test('yields one bundle per source, although two functions share it', () => {
    expect(parseDefinition(definition).bundles).toEqual([
      { name: 'apply', source: 'src/bridge/apply.ts' },
      { name: 'users', source: 'src/handlers/users.ts' },
    ]);
  });

  test.each(CLOUDS)('of %s in this project builds for that cloud and minifies', (cloud) => {
    const { options, bundles } = readServiceBundles(cloud);
    expect(options.conditions).toContain(cloud);
    expect(options.minify).toBe(true);
    expect(bundles.map(({ name }) => name)).toEqual(expect.arrayContaining(['users', 'forward', 'apply']));
  });
});
