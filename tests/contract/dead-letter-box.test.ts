/** What the dead letters of both clouds must do, over their stand-ins. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import * as aws from '../../src/shared/adapters/aws/cloud.ts';
import * as azure from '../../src/shared/adapters/azure/cloud.ts';
import { loadConfig } from '../../src/shared/config/config.ts';
import type { DeadLetters } from '../../src/shared/ports/cloud.ts';
import type { DeadLetter, DeadLetterBox, Look } from '../../src/shared/ports/dead-letter-box.ts';
import { setEnvironment, startCloud, type TestCloud } from '../helpers/sites.ts';

describe.each([
  ['aws', aws, 'ReceiveMessage'],
  ['azure', azure, 'receive'],
] as const)('dead letters on %s', (name, adapters, receiveOperation) => {
  let cloud: TestCloud;
  let restore: () => void;
  let dead: DeadLetters;
  let box: DeadLetterBox;

  beforeAll(async () => {
    cloud = await startCloud(name);
    restore = setEnvironment(cloud.env);
    const config = loadConfig(name, cloud.env);
    dead = adapters.openDeadLetters(config);
    box = adapters.openDeadLetterBox(config);
  });

  beforeEach(async () => {
    cloud.queueFaults.clear();
    await box.settle(10_000, (letters) =>
      Promise.resolve({ remove: new Set(letters.map(({ id }) => id)), goOn: true }),
    );
  });

  afterAll(async () => {
    restore();
    await cloud.close();
  });

  const setAside = (
    bodies: readonly string[],
    source = 'tandem-in',
    reason = 'malformed',
  ): Promise<unknown> =>
    dead.send(bodies.map((body, i) => ({ queue: source, id: `m${i}`, body, reason, detail: 'as a test' })));
  const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `{"n":${i}}`);
  const seen = async (limit = 1_000): Promise<{ letters: DeadLetter[]; look: Look }> => {
    const letters: DeadLetter[] = [];
    const look = await box.look(limit, (page) => void letters.push(...page));
    return { letters, look };
  };
  const bodiesOf = (letters: readonly DeadLetter[]): string[] => letters.map(({ body }) => body).sort();

  test('an empty queue holds nothing', async () => {
    expect(await seen()).toEqual({ letters: [], look: { looked: 0, atLeast: false } });
  });

  test('a letter is shown as it came, with where it came from and why', async () => {
    const before = Date.now() - 5_000;
    await setAside(['{"half": '], 'tandem-out', 'too_large');
    const [letter] = (await seen()).letters;
    expect(letter).toMatchObject({
      source: 'tandem-out',
      reason: 'too_large',
      detail: 'as a test',
      body: '{"half": ',
    });
    expect(letter?.id).toMatch(/^[\w-]+$/);
    expect(letter?.atMs).toBeGreaterThan(before);
  });

  test('looking twice shows the same letters under the same ids', async () => {
    await setAside(numbered(25));
    const [first, second] = [await seen(), await seen()];
    expect(first.look).toEqual({ looked: 25, atLeast: false });
    expect(second.letters.map(({ id }) => id).sort()).toEqual(first.letters.map(({ id }) => id).sort());
    expect(bodiesOf(second.letters)).toEqual(numbered(25).sort());
  });

  test('a look at more than it may see says that there may be more', async () => {
    await setAside(numbered(25));
    const { letters, look } = await seen(12);
    expect([letters.length, look]).toEqual([12, { looked: 12, atLeast: true }]);
    expect((await seen()).look.looked).toBe(25);
  });

  test('what a decision names is removed, the rest is there at once', async () => {
    await setAside(numbered(25));
    const isEven = ({ body }: DeadLetter): boolean => Number(/\d+/.exec(body)?.[0]) % 2 === 0;
    const look = await box.settle(1_000, (letters) =>
      Promise.resolve({ remove: new Set(letters.filter(isEven).map(({ id }) => id)), goOn: true }),
    );
    expect(look).toEqual({ looked: 25, atLeast: false });
    const left = (await seen()).letters;
    expect(left.length).toBe(12);
    expect(left.some(isEven)).toBe(false);
  });

  test('a decision that has enough ends the look', async () => {
    await setAside(numbered(120));
    let handed = 0;
    const look = await box.settle(1_000, (letters) => {
      handed += letters.length;
      return Promise.resolve({ remove: new Set(), goOn: false });
    });
    expect(look).toEqual({ looked: handed, atLeast: true });
    expect(handed).toBeLessThan(120);
    expect((await seen()).look.looked).toBe(120);
  });

  test('a decision that fails half-way loses nothing', async () => {
    await setAside(numbered(25));
    const settling = box.settle(1_000, () => Promise.reject(new Error('died')));
    await expect(settling).rejects.toThrow('died');
    expect(bodiesOf((await seen()).letters)).toEqual(numbered(25).sort());
  });

  test('a queue that does not answer is an error that passes', async () => {
    await setAside(numbered(1));
    cloud.queueFaults.set([{ kind: 'error', operation: receiveOperation }]);
    const remove = new Set<string>();
    await expect(box.settle(10, () => Promise.resolve({ remove, goOn: true }))).rejects.toMatchObject({
      retryable: true,
    });
    cloud.queueFaults.clear();
    expect((await seen()).look.looked).toBe(1);
  });

  test('the depths of the queues count what is set aside', async () => {
    const measure = adapters.openQueueDepths(loadConfig(name, cloud.env));
    await adapters.openInbox(loadConfig(name, cloud.env)).send([{ id: '1', body: 'in' }]);
    await setAside(numbered(3));
    expect(await measure()).toEqual({
      out: { messages: 0, atLeast: false },
      in: { messages: 1, atLeast: false },
      dead: { messages: 3, atLeast: false },
    });
    expect(await cloud.take('tandem-in')).toMatchObject([{ body: 'in' }]);
  });
});
