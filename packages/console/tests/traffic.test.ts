import { describe, expect, test } from '@jest/globals';
import { Jobs } from '@tandem-clouds/console/server/jobs';
import { moveIn, orderIn } from '@tandem-clouds/console/server/traffic-order';
import { kindOfLine, orderPath, shareIn, stepText } from '@tandem-clouds/console/ui/shares';

describe('an order', () => {
  test('is read strictly, of a body and of a query alike', () => {
    expect(orderIn('shift', 'a', '{"percent":10,"holdSeconds":3}')).toMatchObject({
      ...{ kind: 'shift', site: 'a', percent: 10, holdSeconds: 3, now: false },
    });
    expect(moveIn({ kind: 'restore', now: 'true', site: 'a' })).toMatchObject({ kind: 'restore', now: true });
    expect(moveIn({ kind: 'restore', site: 'a' })).not.toHaveProperty('site');
    expect(orderIn('runbook', 'aws-lost', '{"site":"a"}')).toEqual({
      ...{ kind: 'runbook', name: 'aws-lost', site: 'a', over: false },
    });
    expect(orderIn('acknowledge', 'aws-lost', '{"site":"a","why":"known"}')).toEqual({
      ...{ kind: 'acknowledge', runbook: 'aws-lost', site: 'a', why: 'known' },
    });
  });

  test.each([
    ['no JSON', 'shift', 'a', 'x', /JSON/],
    ['null', 'shift', 'a', 'null', /JSON/],
    ['another kind', 'erase', 'a', '{}', /kind: one of/],
    ['a kind of the body', '', 'a', '{"kind":"drain"}', /kind: one of/],
    ['a shift without a site', 'shift', undefined, '{"percent":1,"site":"a"}', /site/],
    ['a shift without a share', 'shift', 'a', '{}', /percent/],
    ['a share of 101', 'shift', 'a', '{"percent":101}', /percent: a whole number from 0 to 100/],
    ['half a second', 'drain', 'a', '{"holdSeconds":0.5}', /holdSeconds/],
    ['an acknowledgement without a reason', 'acknowledge', 'aws-lost', '{"site":"a"}', /why/],
    ['no hash', 'apply', undefined, '{}', /hash/],
    ['a hash that is no text', 'apply', undefined, '{"hash":1}', /hash/],
  ])('is refused where it is %s', (_, kind, about, text, message) => {
    expect(() => orderIn(kind, about, text)).toThrow(message);
  });
});

describe('jobs', () => {
  test('run one at a time, can be looked at, and say how they ended', async () => {
    const jobs = new Jobs<{ step: number }>();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const { id } = jobs.start('first', ({ say, show }) => {
      say('a\n\nb\n');
      show({ step: 2 });
      return promise;
    });
    expect(jobs.list()).toMatchObject([{ id, lines: ['a', 'b'], detail: { step: 2 }, isStopped: false }]);
    expect(jobs.list()[0]).not.toHaveProperty('endedAt');
    expect(() => jobs.start('second', () => promise)).toThrow("'first' still runs");
    resolve(true);
    await promise;
    await Promise.resolve();
    expect(jobs.list()[0]).toMatchObject({ result: 'done', endedAt: expect.any(String) as unknown });
  });

  test('are stopped by their signal, once', async () => {
    const jobs = new Jobs();
    const { promise, reject } = Promise.withResolvers<boolean>();
    const { id } = jobs.start('one', ({ signal }) => {
      signal.addEventListener('abort', () => reject(new Error('stopped')));
      return promise;
    });
    expect(jobs.stop(id)).toMatchObject({ isStopped: true });
    await promise.catch(() => undefined);
    await Promise.resolve();
    expect(jobs.stop(id)).toMatchObject({ result: 'not done', problem: 'stopped' });
    expect(() => jobs.stop('other')).toThrow('there is no job other');
  });

  test('keep no more than the last lines and the last jobs', async () => {
    const jobs = new Jobs();
    for (let count = 0; count < 30; count += 1) {
      jobs.start(`job ${count}`, async ({ say }) => {
        for (let line = 0; line < 1_000; line += 1) say(`line ${line}`);
        return Promise.resolve(true);
      });
      await Promise.resolve();
      await new Promise(setImmediate);
    }
    expect(jobs.list()).toHaveLength(20);
    expect(jobs.list()[0]).toMatchObject({ what: 'job 29' });
    expect(jobs.list()[0]?.lines).toHaveLength(500);
    expect(jobs.list()[0]?.lines.at(-1)).toBe('line 999');
  });
});

test('shares and steps are said as people read them', () => {
  expect(shareIn({ a: 1, b: 2 }, 'a')).toBe('33 %');
  expect(shareIn({ a: 0 }, 'a')).toBe('—');
  expect(shareIn({ a: 1 }, 'constructor')).toBe('0 %');
  expect(stepText({ a: 25 })).toBe('a at 25 %');
  expect(stepText({})).toBe('as the policy says');
});

test('an order is sent to a path that says what it is', () => {
  expect(orderPath({ kind: 'drain', site: 'a/b' })).toBe('/api/traffic/jobs/drain/a%2Fb');
  expect(orderPath({ kind: 'restore', now: true })).toBe('/api/traffic/jobs/restore');
  expect(orderPath({ kind: 'runbook', name: 'aws-lost', site: 'a', over: false })).toBe(
    '/api/traffic/jobs/runbook/aws-lost',
  );
  expect(orderPath({ kind: 'acknowledge', runbook: 'aws-lost', site: 'a', why: 'w' })).toBe(
    '/api/traffic/jobs/acknowledge/aws-lost',
  );
});

test('the lines of a plan are told apart', () => {
  const lines = ['+ a A', '    - weight 1', '~ b A', '  left alone: c', '-5'];
  expect(lines.map(kindOfLine)).toEqual(['added', 'removed', 'changed', 'other', 'other']);
});
