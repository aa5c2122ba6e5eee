/** What the contract says about repeating an action, and that two runs come to what is said. */
import { describe, expect, test } from '@jest/globals';
import { operationFactsOf } from '../../../scripts/generate/client.ts';
import { entityPaths } from '../../../scripts/generate/openapi-entity.ts';
import { defineEntity } from '../../../src/shared/domain/define-entity.ts';
import type { Entity } from '../../../src/shared/domain/entity.ts';

interface Parts {
  readonly action?: object;
  readonly reaction?: object;
}

/** An entity whose action `act` is declared so; actions write every field but `note`. */
function entityWith(fields: readonly string[], { action, reaction }: Parts = {}): Entity {
  const all = {
    status: { states: { order: ['open', 'done'], allowed: { open: ['done'] } }, by: 'action' },
    number: { type: 'string', by: 'action' },
    tags: { type: 'array', items: { type: 'string' }, maxItems: 9, merge: 'set', by: 'action' },
    notes: { type: 'object', maxProperties: 9, additionalProperties: true, by: 'action' },
    count: { type: 'integer', minimum: 0, maximum: 9, merge: 'counter', by: 'action' },
  } as const;
  const declaration: object = {
    name: 'task',
    collection: 'tasks',
    idField: 'taskId',
    description: 'A task',
    required: [],
    fields: {
      note: { type: 'string' },
      ...Object.fromEntries(Object.entries(all).filter(([name]) => fields.includes(name))),
    },
    actions: { act: { summary: 'Act', decide: () => undefined, ...action } },
    ...(reaction !== undefined && {
      reactions: {
        tell: { on: ['status'], when: () => true, run: async () => Promise.resolve(), ...reaction },
      },
    }),
    example: {},
  };
  return defineEntity(declaration as never);
}

/** What the client's table has, which `npm run generate` writes from the contract. */
const inClient = (entity: Entity): string | undefined =>
  operationFactsOf({ paths: entityPaths(entity) }).find(({ path }) => path.endsWith('/act'))?.repeat;

describe('an action', () => {
  test.each<[string, readonly string[], Parts, 'elsewhere' | 'here']>([
    ['that moves a state and sets a register', ['status', 'number'], {}, 'elsewhere'],
    ['that may count', ['status', 'count'], {}, 'here'],
    ['that may add to a set', ['tags'], {}, 'here'],
    ['that may add a member', ['notes'], {}, 'here'],
    ['beside one that counts', ['status', 'count'], { action: { writes: ['status'] } }, 'elsewhere'],
    ['that says so of a set', ['tags'], { action: { repeat: 'elsewhere' } }, 'elsewhere'],
    ['that stays by its declaration', ['number'], { action: { repeat: 'here' } }, 'here'],
    ['that is reacted to, once for each run', ['status'], { reaction: {} }, 'here'],
    ['that is reacted to under one name', ['status'], { reaction: { once: () => 'a' } }, 'elsewhere'],
    [
      'that is reacted to under a name that a run may write',
      ['status', 'number'],
      { reaction: { once: ({ number }: { number: string }) => number } },
      'here',
    ],
    [
      'that says so where the name is the same',
      ['status'],
      { action: { repeat: 'elsewhere' }, reaction: { once: ({ id }: { id: string }) => id } },
      'elsewhere',
    ],
    ['that is reacted to at every site', ['status'], { reaction: { site: 'every' } }, 'elsewhere'],
    [
      'that is not what is reacted to',
      ['status', 'number'],
      { reaction: {}, action: { writes: ['number'] } },
      'elsewhere',
    ],
  ])('%s', (_what, fields, parts, repeat) => {
    expect(inClient(entityWith(fields, parts))).toBe(repeat);
  });

  test.each<[string, readonly string[], Parts, RegExp]>([
    ['a counter', ['count'], { action: { repeat: 'elsewhere' } }, /actions\.act\.repeat: count is a counter/],
    [
      'a reaction',
      ['status'],
      { action: { repeat: 'elsewhere' }, reaction: {} },
      /the reaction tell runs for both/,
    ],
    [
      'no field',
      ['count'],
      { action: { writes: ['other'] } },
      /actions\.act\.writes: other is no declared field/,
    ],
    ["a client's field", ['count'], { action: { writes: ['note'] } }, /note is not written by actions/],
    ['no word', ['number'], { action: { repeat: 'never' } }, /must be elsewhere or here/],
  ])('is refused that contradicts %s', (_what, fields, parts, reason) => {
    expect(() => entityWith(fields, parts)).toThrow(reason);
  });
});
