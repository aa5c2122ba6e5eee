/** What the dead letters of both clouds must do, over their emulators. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import * as aws from '../../src/shared/adapters/aws/cloud.ts';
import * as azure from '../../src/shared/adapters/azure/cloud.ts';
import { loadConfig } from '../../src/shared/config/config.ts';
import type { DeadLetters } from '../../src/shared/ports/cloud.ts';
import type { DeadLetter, DeadLetterBox, Sample } from '../../src/shared/ports/dead-letter-box.ts';
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
    await box.settle(10_000, (messages) =>
      Promise.resolve({ remove: new Set(messages.map(({ id }) => id)), goOn: true }),
    );
  });

  afterAll(async () => {
    restore();
    await cloud.close();
  });

  const deadLettered = (
    bodies: readonly string[],
    source = 'tandem-in',
    reason = 'malformed',
  ): Promise<unknown> =>
    dead.send(bodies.map((body, i) => ({ queue: source, id: `m${i}`, body, reason, detail: 'as a test' })));
  const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `{"n":${i}}`);
  const seen = async (limit = 1_000): Promise<{ messages: DeadLetter[]; sample: Sample }> => {
    const messages: DeadLetter[] = [];
    const sample = await box.scan(limit, (page) => void messages.push(...page));
    return { messages, sample };
  };
  const bodiesOf = (messages: readonly DeadLetter[]): string[] => messages.map(({ body }) => body).sort();

  test('an empty queue holds nothing', async () => {
    expect(await seen()).toEqual({ messages: [], sample: { scanned: 0, atLeast: false } });
  });

  test('a letter is shown as it came, with where it came from and why', async () => {
    const before = Date.now() - 5_000;
    await deadLettered(['{"half": '], 'tandem-out', 'too_large');
    const [message] = (await seen()).messages;
    expect(message).toMatchObject({
      source: 'tandem-out',
      reason: 'too_large',
      detail: 'as a test',
      body: '{"half": ',
    });
    expect(message?.id).toMatch(/^[\w-]+$/);
    expect(message?.atMs).toBeGreaterThan(before);
  });

  test('looking twice shows the same letters under the same ids', async () => {
    await deadLettered(numbered(25));
    const [first, second] = [await seen(), await seen()];
    expect(first.sample).toEqual({ scanned: 25, atLeast: false });
    expect(second.messages.map(({ id }) => id).sort()).toEqual(first.messages.map(({ id }) => id).sort());
    expect(bodiesOf(second.messages)).toEqual(numbered(25).sort());
  });

  test('a look at more than it may see says that there may be more', async () => {
    await deadLettered(numbered(25));
    const { messages, sample } = await seen(12);
    expect([messages.length, sample]).toEqual([12, { scanned: 12, atLeast: true }]);
    expect((await seen()).sample.scanned).toBe(25);
  });

  test('what a decision names is removed, the rest is there at once', async () => {
    await deadLettered(numbered(25));
    const isEven = ({ body }: DeadLetter): boolean => Number(/\d+/.exec(body)?.[0]) % 2 === 0;
    const sample = await box.settle(1_000, (messages) =>
      Promise.resolve({ remove: new Set(messages.filter(isEven).map(({ id }) => id)), goOn: true }),
    );
    expect(sample).toEqual({ scanned: 25, atLeast: false });
    const left = (await seen()).messages;
    expect(left.length).toBe(12);
    expect(left.some(isEven)).toBe(false);
  });

  test('a decision that has enough ends the look', async () => {
    await deadLettered(numbered(120));
    let handed = 0;
    const sample = await box.settle(1_000, (messages) => {
      handed += messages.length;
      return Promise.resolve({ remove: new Set(), goOn: false });
    });
    expect(sample).toEqual({ scanned: handed, atLeast: true });
    expect(handed).toBeLessThan(120);
    expect((await seen()).sample.scanned).toBe(120);
  });

  test('a decision that fails half-way loses nothing', async () => {
    await deadLettered(numbered(25));
    const settling = box.settle(1_000, () => Promise.reject(new Error('died')));
    await expect(settling).rejects.toThrow('died');
    expect(bodiesOf((await seen()).messages)).toEqual(numbered(25).sort());
  });

  test('a queue that does not answer is an error that passes', async () => {
    await deadLettered(numbered(1));
    cloud.queueFaults.set([{ kind: 'error', operation: receiveOperation }]);
    const remove = new Set<string>();
    await expect(box.settle(10, () => Promise.resolve({ remove, goOn: true }))).rejects.toMatchObject({
      retryable: true,
    });
    cloud.queueFaults.clear();
    expect((await seen()).sample.scanned).toBe(1);
  });

  test('the depths of the queues count what is set aside', async () => {
    const measure = adapters.openQueueDepths(loadConfig(name, cloud.env));
    await adapters.openInbox(loadConfig(name, cloud.env)).send([{ id: '1', body: 'in' }]);
    await deadLettered(numbered(3));
    expect(await measure()).toEqual({
      out: { messages: 0, atLeast: false },
      in: { messages: 1, atLeast: false },
      dead: { messages: 3, atLeast: false },
    });
    expect(await cloud.take('tandem-in')).toMatchObject([{ body: 'in' }]);
  });
});
