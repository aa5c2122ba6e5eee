import { describe, expect, test } from '@jest/globals';
import { FaultError, idOf, readFaultOrder } from '../../src/faults/fault-order.ts';

const SITES = ['aws-us-east-1', 'azure-eastus'];
const [AWS, AZURE] = ['aws-us-east-1', 'azure-eastus'];

test.each([
  [{ kind: 'stop', site: AWS }, 'stop:aws-us-east-1'],
  [{ kind: 'freeze', site: AZURE, forMs: 5_000 }, 'freeze:azure-eastus'],
  [{ kind: 'errors', site: AZURE }, 'errors:azure-eastus'],
  [{ kind: 'throttle', site: AZURE }, 'throttle:azure-eastus'],
  [{ kind: 'slow', site: AWS, ms: 300 }, 'slow:aws-us-east-1'],
  [{ kind: 'partition', site: AWS, peer: AZURE }, 'partition:aws-us-east-1/azure-eastus'],
  [{ kind: 'partition', site: AWS, peer: AZURE, both: true }, 'partition:aws-us-east-1+azure-eastus'],
  [{ kind: 'partition', site: AZURE, peer: AWS, both: true }, 'partition:aws-us-east-1+azure-eastus'],
])('%j is read as it is, and is called %s', (order, id) => {
  const read = readFaultOrder(order, SITES);
  expect(read).toEqual(order);
  expect(idOf(read)).toBe(id);
});

test('a partition that is not of both ways is the same as one of one way', () => {
  const order = { kind: 'partition', site: AWS, peer: AZURE };
  expect(readFaultOrder({ ...order, both: false }, SITES)).toEqual(order);
});

describe('an order that is refused names the field and the rule', () => {
  test.each([
    ['no object', [], 'an object is needed'],
    ['nothing', null, 'an object is needed'],
    ['no kind', { site: AWS }, 'kind: nothing is not one of stop, freeze'],
    ['another kind', { kind: 'burn', site: AWS }, "kind: 'burn' is not one of"],
    ['no site', { kind: 'stop' }, 'site: nothing is no site of this stack (aws-us-east-1, azure-eastus)'],
    ['another site', { kind: 'stop', site: 'azure-eatus' }, "'azure-eatus' is no site of this stack"],
    ['a slip', { kind: 'stop', site: 'azure-eatus' }, 'did you mean azure-eastus?'],
    ['a site of another type', { kind: 'stop', site: 7 }, "site: '7' is no site"],
    ['another field', { kind: 'stop', site: AWS, hard: true }, 'hard: unknown field'],
    [
      'a delay that is needed',
      { kind: 'slow', site: AWS },
      'ms: a whole number of milliseconds from 1 to 30000',
    ],
    ['a delay of nothing', { kind: 'slow', site: AWS, ms: 0 }, 'ms: a whole number'],
    ['a delay that is too long', { kind: 'slow', site: AWS, ms: 30_001 }, "not '30001'"],
    [
      'a delay of what is not slow',
      { kind: 'stop', site: AWS, ms: 5 },
      'ms: only slow has one, stop does not',
    ],
    [
      'a peer of what is no partition',
      { kind: 'stop', site: AWS, peer: AZURE },
      'peer: only partition has one',
    ],
    ['a partition without a peer', { kind: 'partition', site: AWS }, 'peer: nothing is no site'],
    [
      'a partition from itself',
      { kind: 'partition', site: AWS, peer: AWS },
      'peer: another site than aws-us-east-1',
    ],
    [
      'both as text',
      { kind: 'partition', site: AWS, peer: AZURE, both: 'yes' },
      'both: true or false is needed',
    ],
    [
      'a time of nothing',
      { kind: 'stop', site: AWS, forMs: 0 },
      'forMs: a whole number of milliseconds from 1',
    ],
    ['a time that is too long', { kind: 'stop', site: AWS, forMs: 86_400_001 }, 'forMs: a whole number'],
  ])('%s', (_title, order, message) => {
    expect(() => readFaultOrder(order, SITES)).toThrow(FaultError);
    expect(() => readFaultOrder(order, SITES)).toThrow(message);
  });
});
