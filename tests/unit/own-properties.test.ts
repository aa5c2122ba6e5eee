/** Names from outside that every object has a property of: they are names like any other. */
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { prepareChoice } from '@tandem-clouds/emulators/dns/choose';
import { mergeStates } from '@tandem-clouds/replication/merge';
import { setOwn } from '@tandem-clouds/replication/own';
import { partsOf, type RecordState, withParts } from '@tandem-clouds/replication/record';
import { covers, includesVector, mergeVectors } from '@tandem-clouds/replication/vector';
import { sampleOf } from '../../dns/monitor/sample.ts';
import { policyOf, route53Bench } from '../helpers/dns/fixtures.ts';
import { policyText } from '../helpers/dns/fixtures.ts';
import { operatorOf } from '../helpers/dns/operator.ts';

const { mistakesIn } = createRequire(import.meta.url)('../../infra/parameters.cjs') as {
  readonly mistakesIn: (given: object) => string[];
};

const NAMES = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'];

describe.each(NAMES)('%s', (name) => {
  it('is no site of a policy', async () => {
    const bench = await route53Bench();
    const operator = operatorOf(bench);
    try {
      operator.write(policyText());
      for (const args of [
        ['drain', name],
        ['failover', name],
        ['shift', name, '50'],
      ]) {
        const { code, err } = await operator.run(args);
        expect({ args, code }).toEqual({ args, code: 1 });
        expect(err).toContain(`there is no site '${name}'`);
      }
      expect(bench.server.sets).toHaveLength(2);
    } finally {
      operator.leave();
      await bench.server.close();
    }
  });

  it('is not used by a name of a policy', () => {
    const names = `\n  - { name: api, strategy: weighted, sites: [{ site: ${name} }] }`;
    expect(() => policyOf({ names })).toThrow(name === '__proto__' ? /\/names\/0/ : /there is no site/);
  });

  it('is not looked at by a monitor', async () => {
    expect(await sampleOf([name], policyOf(), () => Promise.reject(new Error('looked')))).toEqual([]);
  });

  it('is no region that latencies are known from', () => {
    const target = { site: 'a', values: ['192.0.2.1'], region: name };
    const candidates = [0, 1].map((index) => ({
      index,
      healthy: true,
      target: index === 0 ? target : { ...target, region: 'near' },
    }));
    const latencies = { near: { near: 1 } };
    const choose = prepareChoice({ strategy: 'latency', candidates, latencies, random: () => 0 });
    expect(choose({ region: 'near' })).toBe(1);
    expect(choose({ region: name })).toBe(0);
  });

  it('needs no other feature', () => {
    const features = Object.fromEntries([[name, true]]);
    const valueOf = (): undefined => undefined;
    expect(mistakesIn({ params: {}, features, requested: [], needs: {}, valueOf })).toEqual([]);
  });

  const site = name.toLowerCase();
  const stamp = `00000000000a0.${site}`;

  it('is a site that a vector does not name', () => {
    expect(covers({}, stamp)).toBe(false);
    expect(includesVector({}, Object.fromEntries([[name, stamp]]))).toBe(false);
    expect(Object.keys(mergeVectors({}, Object.fromEntries([[name, stamp]])))).toEqual([name]);
  });

  it('is a field like any other of a record', () => {
    const at = '00000000000a0.aws';
    const vector = { aws: at };
    const state: RecordState = { fields: Object.fromEntries([[name, [at, 'value']]]), vector };
    const other: RecordState = { fields: { x: [at, 1] }, vector };
    expect(partsOf(other, name)).toEqual({});
    expect(partsOf(state, name)).toEqual({ register: [at, 'value'] });
    const later: RecordState = { ...state, vector: { ...vector, azure: '00000000000b0.azure' } };
    expect(Object.keys(mergeStates(other, later).state.fields)).toEqual(['x', name]);
    const written = withParts(
      other,
      Object.fromEntries([[name, { register: [at, 'value'] as const }]]),
      vector,
    );
    expect(Object.keys(written.fields)).toEqual(['x', name]);
  });
});

it('a property that is set has its name, whatever that is', () => {
  const object: Record<string, number> = {};
  setOwn(object, '__proto__', 1);
  expect(Object.entries(object)).toEqual([['__proto__', 1]]);
});
