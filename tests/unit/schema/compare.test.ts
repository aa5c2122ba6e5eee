/** What two releases' declarations differ in: each difference has a class, its place and its mend. */
import { describe, expect, test } from '@jest/globals';
import Ajv from 'ajv';
import fc from 'fast-check';
import type { Json } from '@tandem-clouds/replication/json';
import { refusedOf } from '../../../scripts/schema/allowed.ts';
import type { ChangeClass } from '../../../scripts/schema/change.ts';
import { schemaChanges } from '../../../scripts/schema/compare.ts';
import {
  describeDeclarations,
  readDescription,
  type SchemaDescription,
  schemaText,
} from '../../../scripts/schema/describe.ts';
import { contentFields } from '../../../src/shared/domain/content.ts';
import { defineEntity } from '../../../src/shared/domain/define-entity.ts';
import { defineRoutes } from '../../../src/shared/domain/routes/define-routes.ts';
import { booking as misbehaving } from '../../helpers/booking.ts';

type Loose = Parameters<typeof defineEntity>[0] & Readonly<Record<string, unknown>>;

const order = ['pending', 'confirmed', 'cancelled'];
const allowed = { pending: ['confirmed'], confirmed: ['cancelled'] };
const title = { type: 'string', maxLength: 40 };
const colour = { type: 'string', enum: ['red', 'green'] };
const details = { type: 'object', additionalProperties: false, properties: { a: { type: 'string' } } };

const FIELDS = {
  title,
  colour,
  details,
  note: { type: 'string', deprecated: true, by: ['client', 'action'] },
  customerId: { type: 'string' },
  seats: { type: 'integer', maximum: 9, merge: 'counter' },
  tags: { type: 'array', items: { type: 'string' }, merge: 'set' },
  places: { type: 'integer', minimum: 0, maximum: 9, default: 1 },
  secret: { type: 'string', readableBy: ['staff'] },
  status: { states: { order, allowed }, by: 'action' },
};
const confirm = {
  summary: 'Confirm',
  input: { by: { type: 'string' }, how: { type: 'string' } },
  required: ['by'],
  errors: { too_late: 'It is over' },
  decide: () => undefined,
};
const mail = { on: ['status'], when: () => true, run: () => Promise.resolve(undefined), version: 2 };
const BASE = {
  name: 'booking',
  collection: 'bookings',
  idField: 'bookingId',
  description: 'A booking',
  aliases: ['/booking'],
  required: ['title'],
  fields: FIELDS,
  indexes: { byCustomer: { on: 'customerId' } },
  actions: { confirm },
  reactions: { mail },
  example: { title: 'x' },
};

function declared(...changed: readonly object[]): SchemaDescription {
  const entities = changed.map((each) => defineEntity({ ...BASE, ...each } as unknown as Loose));
  return describeDeclarations(entities, {});
}
const fields = (changed: object): object => ({ fields: { ...FIELDS, ...changed } });
const without = (field: keyof typeof FIELDS): object => {
  const { [field]: _, ...rest } = FIELDS;
  return { fields: rest };
};
const states = (changed: object): object =>
  fields({ status: { states: { order, allowed, ...changed }, by: 'action' } });

function withContent(content: object): object {
  return { ...fields(contentFields), access: { owner: 'customerId' }, content };
}

/** What is declared instead → class, place behind `booking.`, and a part of what is said of it or of its mend. */
const TABLE: readonly (readonly [title: string, ChangeClass, string, object, RegExp])[] = [
  ['a new optional field', 'additive', 'fields.more', fields({ more: { type: 'string' } }), /new/],
  [
    'a new field with a default',
    'additive',
    'fields.more',
    { ...fields({ more: { type: 'string', default: 'x' } }), required: ['title', 'more'] },
    /old records read x/,
  ],
  [
    'a new required field',
    'breaking',
    'fields.more',
    {
      ...fields({ more: { type: 'string' } }),
      required: ['title', 'more'],
      example: { title: 'x', more: 'y' },
    },
    /`default`; or release 1/,
  ],
  [
    'a new unique field',
    'backfill',
    'fields.more',
    { ...fields({ more: { type: 'string' } }), unique: ['more'] },
    /reserve/,
  ],
  ['a field that is gone', 'breaking', 'fields.colour', without('colour'), /release 1: `deprecated: true`/],
  ['a deprecated field that is gone', 'additive', 'fields.note', without('note'), /stays/],
  [
    'a wider bound',
    'additive',
    'fields.title.maxLength',
    fields({ title: { ...title, maxLength: 41 } }),
    /more values/,
  ],
  [
    'a bound that is gone',
    'additive',
    'fields.title.maxLength',
    fields({ title: { type: 'string' } }),
    /more values/,
  ],
  [
    'a narrower bound',
    'breaking',
    'fields.title.maxLength',
    fields({ title: { ...title, maxLength: 39 } }),
    /release 1: .*release 2: narrow/,
  ],
  [
    'a lower bound that is new',
    'breaking',
    'fields.title.minLength',
    fields({ title: { ...title, minLength: 1 } }),
    /release 2/,
  ],
  [
    'a lower bound that falls',
    'additive',
    'fields.places.minimum',
    fields({ places: { ...FIELDS.places, minimum: -1 } }),
    /more values/,
  ],
  [
    'a pattern',
    'breaking',
    'fields.title.pattern',
    fields({ title: { ...title, pattern: '^x' } }),
    /release 2/,
  ],
  ['another type', 'breaking', 'fields.title.type', fields({ title: { type: 'integer' } }), /write both/],
  [
    'a new value at the end',
    'additive',
    'fields.colour.enum',
    fields({ colour: { type: 'string', enum: ['red', 'green', 'blue'] } }),
    /takes blue too/,
  ],
  [
    'a value that is gone',
    'breaking',
    'fields.colour.enum',
    fields({ colour: { type: 'string', enum: ['red'] } }),
    /without green/,
  ],
  [
    'a new member of a closed object',
    'additive',
    'fields.details.properties.b',
    fields({ details: { ...details, properties: { a: { type: 'string' }, b: { type: 'string' } } } }),
    /new/,
  ],
  [
    'a member that is gone',
    'breaking',
    'fields.details.properties.a',
    fields({ details: { ...details, properties: {} } }),
    /gone/,
  ],
  [
    'an element of another type',
    'breaking',
    'fields.tags.items.type',
    fields({ tags: { ...FIELDS.tags, items: { type: 'integer' } } }),
    /write both/,
  ],
  [
    'a new state at the end',
    'additive',
    'fields.status.states.order.over',
    states({ order: [...order, 'over'] }),
    /rank 4000/,
  ],
  [
    'a new state with a rank between',
    'additive',
    'fields.status.states.order.held',
    states({ order: ['pending', 'held', 'confirmed', 'cancelled'], ranks: { held: 1_500 } }),
    /rank 1500/,
  ],
  [
    'a state whose rank moved',
    'breaking',
    'fields.status.states.order.confirmed',
    states({ order: ['pending', 'held', 'confirmed', 'cancelled'] }),
    /ranks: \{ confirmed: 2000 \}/,
  ],
  [
    'a state that is gone',
    'breaking',
    'fields.status.states.order.cancelled',
    states({ order: ['pending', 'confirmed'], allowed: { pending: ['confirmed'] } }),
    /no transition to it/,
  ],
  [
    'a new transition',
    'additive',
    'fields.status.states.allowed.pending',
    states({ allowed: { ...allowed, pending: ['confirmed', 'cancelled'] } }),
    /cancelled too/,
  ],
  [
    'states that the service leads on',
    'additive',
    'fields.status.states.passing',
    states({ passing: ['pending'] }),
    /prefer to wait/,
  ],
  [
    'a set that was a register',
    'additive',
    'fields.tags.merge',
    fields({ tags: { type: 'array', items: { type: 'string' } } }),
    /until every site/,
  ],
  [
    'states that are a register',
    'breaking',
    'fields.status.merge',
    fields({ status: { type: 'string', enum: order, by: 'action' } }),
    /rank/,
  ],
  [
    'another default',
    'backfill',
    'fields.places.default',
    fields({ places: { ...FIELDS.places, default: 2 } }),
    /before this release/,
  ],
  [
    'a default that is gone',
    'breaking',
    'fields.places.default',
    fields({ places: { type: 'integer', minimum: 0, maximum: 9 } }),
    /release 2/,
  ],
  [
    'a field that is required now',
    'backfill',
    'fields.customerId.required',
    { required: ['title', 'customerId'], example: { title: 'x', customerId: 'y' } },
    /counts/,
  ],
  [
    'a field with a default that is required now',
    'additive',
    'fields.places.required',
    { required: ['title', 'places'] },
    /reads 1/,
  ],
  ['a field that may be missing now', 'additive', 'fields.title.required', { required: [] }, /older release/],
  ['a field that is unique now', 'backfill', 'fields.title.unique', { unique: ['title'] }, /shared/],
  [
    'a field that clients may not write any more',
    'breaking',
    'fields.title.by',
    { ...fields({ title: { ...title, by: 'action' } }), required: [], example: {} },
    /callers move/,
  ],
  [
    'a field that only creations write now',
    'breaking',
    'fields.title.by',
    fields({ title: { ...title, by: 'creation' } }),
    /callers move/,
  ],
  [
    'a field that fewer see',
    'additive',
    'fields.title.readableBy',
    fields({ title: { ...title, readableBy: ['staff'] } }),
    /until every site/,
  ],
  [
    'a new index',
    'additive',
    'indexes.byTitle',
    { indexes: { ...BASE.indexes, byTitle: { on: 'title' } } },
    /filled while live/,
  ],
  [
    'an index that is declared otherwise',
    'additive',
    'indexes.byCustomer',
    { indexes: { byCustomer: { on: 'customerId', buckets: 2 } } },
    /another index/,
  ],
  ['an index that is gone', 'breaking', 'indexes.byCustomer', { indexes: {} }, /release 1: callers/],
  [
    'an index in another order',
    'breaking',
    'indexes.byCustomer',
    { indexes: { byCustomer: { on: 'customerId', order: 'title' } } },
    /in the order of title, ranges of createdAt are refused.*before the others on customerId/,
  ],
  [
    'an index on another field',
    'breaking',
    'indexes.byCustomer',
    { indexes: { byCustomer: { on: 'title' } } },
    /queries by customerId are refused/,
  ],
  [
    'an index under another name',
    'additive',
    'indexes.byCustomer',
    { indexes: { byBuyer: { on: 'customerId' } } },
    /byBuyer lists by customerId now, in the same order/,
  ],
  ['records that nobody deletes', 'breaking', 'removable', { removable: false }, /callers stop/],
  ['ids from keys', 'breaking', 'ids', { ids: { from: 'uuid7', withinMs: 60_000 } }, /callers choose no ids/],
  ['a tenant', 'breaking', 'access.tenant', { access: { tenant: 'org' } }, /every key/],
  ['an owner', 'breaking', 'access.owner', { access: { owner: 'customerId' } }, /another owner or none/],
  ['another collection', 'breaking', 'collection', { collection: 'reservations' }, /aliases/],
  ['another name of the id', 'breaking', 'idField', { idField: 'reservationId' }, /leave it/],
  ['an alias that is gone', 'breaking', 'aliases', { aliases: [] }, /release 2/],
  [
    'a new action',
    'additive',
    'actions.touch',
    { actions: { confirm, touch: { summary: 'Touch', decide: () => undefined } } },
    /404/,
  ],
  ['an action that is gone', 'breaking', 'actions.confirm', { actions: {} }, /beside it/],
  [
    'a new input',
    'additive',
    'actions.confirm.input.seat',
    { actions: { confirm: { ...confirm, input: { ...confirm.input, seat: { type: 'integer' } } } } },
    /every site/,
  ],
  [
    'an input that is needed now',
    'breaking',
    'actions.confirm.required',
    { actions: { confirm: { ...confirm, required: ['by', 'how'] } } },
    /how is needed/,
  ],
  [
    'an input that is narrower',
    'breaking',
    'actions.confirm.input.by.maxLength',
    {
      actions: { confirm: { ...confirm, input: { ...confirm.input, by: { type: 'string', maxLength: 9 } } } },
    },
    /beside it/,
  ],
  [
    'an error with another status',
    'breaking',
    'actions.confirm.errors.too_late',
    { actions: { confirm: { ...confirm, errors: { too_late: { title: 'It is over', status: 410 } } } } },
    /new code/,
  ],
  [
    'a new reaction',
    'additive',
    'reactions.call',
    { reactions: { mail, call: { ...mail, version: 1 } } },
    /old records/,
  ],
  [
    'a reaction that runs for old records again',
    'backfill',
    'reactions.mail.version',
    { reactions: { mail: { ...mail, version: 3 } } },
    /again/,
  ],
  [
    'a reaction of an earlier version',
    'breaking',
    'reactions.mail.version',
    { reactions: { mail: { ...mail, version: 1 } } },
    /leave it at 2/,
  ],
  [
    'a reaction to other fields',
    'breaking',
    'reactions.mail',
    { reactions: { mail: { ...mail, on: ['status', 'title'] } } },
    /new name/,
  ],
  ['a reaction that is gone', 'breaking', 'reactions.mail', { reactions: {} }, /never done/],
  ['content that is new', 'additive', 'content', withContent({}), /takes no uploads/],
];

/** Who writes a field before → who writes it now. */
const WRITTEN: readonly (readonly [ChangeClass, string, string | string[], string | string[], RegExp])[] = [
  ['additive', 'a creation too', 'action', ['action', 'creation'], /refuses it in creations/],
  ['additive', 'a change too', 'creation', 'client', /client may write it too/],
  ['additive', 'no reaction', ['creation', 'reaction'], 'creation', /reaction may not write it any more/],
  ['breaking', 'no change', 'client', ['creation', 'action'], /may not change it any more/],
  ['breaking', 'no creation', ['creation', 'action'], 'action', /callers leave it out/],
];

/** What is declared before → what is declared now. */
const CONTENT: readonly (readonly [title: string, ChangeClass, string, object, object | undefined])[] = [
  ['content that is gone', 'breaking', 'content', {}, undefined],
  [
    'more media types',
    'additive',
    'content.types',
    { types: ['image/*'] },
    { types: ['image/*', 'text/plain'] },
  ],
  ['any media type', 'additive', 'content.types', { types: ['image/*'] }, {}],
  [
    'fewer media types',
    'breaking',
    'content.types',
    { types: ['image/*', 'text/plain'] },
    { types: ['image/*'] },
  ],
  ['some media types', 'breaking', 'content.types', {}, { types: ['image/*'] }],
  ['larger objects', 'additive', 'content.bytesMax', { bytesMax: 10 }, { bytesMax: 11 }],
  ['smaller objects', 'breaking', 'content.bytesMax', { bytesMax: 11 }, { bytesMax: 10 }],
  ['another time to fetch', 'additive', 'content.fetch', {}, { fetch: { 'logs/': { afterSeconds: 60 } } }],
  ['content that must be there', 'breaking', 'content.required', {}, { required: true }],
  ['content that need not be there', 'additive', 'content.required', { required: true }, {}],
  ['a quota', 'additive', 'content.quota', {}, { quota: { ownerBytes: 10 } }],
];

describe('a change of a declaration', () => {
  test.each(TABLE)('%s is %s, at %s', (_, kind, place, changed, says) => {
    const found = schemaChanges(declared({}), declared(changed)).find(
      (change) => change.place === `booking.${place}` && change.kind === kind,
    );
    expect(found).toMatchObject({ kind, place: `booking.${place}` });
    expect(`${found?.what}; ${found?.mend}`).toMatch(says);
    expect(found?.kind === 'additive' || found?.mend !== '').toBe(true);
  });

  test.each(WRITTEN)('who writes a field: %s, %s', (kind, _, was, is, says) => {
    const by = (writers: string | string[]): SchemaDescription =>
      declared(fields({ more: { type: 'string', by: writers } }));
    const changes = schemaChanges(by(was), by(is)).filter((change) => change.kind === kind);
    expect(changes.map(({ place }) => place)).toEqual(['booking.fields.more.by']);
    expect(changes.map(({ what, mend }) => `${what}; ${mend}`).join()).toMatch(says);
  });

  test('records that may be deleted now are additive; that they may be is what nothing says', () => {
    const [not, may] = [declared({ removable: false }), declared({ removable: true })];
    expect(schemaChanges(not, may)).toEqual([
      expect.objectContaining({ kind: 'additive', place: 'booking.removable' }),
    ]);
    expect(may).toEqual(declared({}));
  });

  test.each([
    ['additive', 'ids.withinMs', 60_000, 61_000],
    ['breaking', 'ids.withinMs', 60_000, 59_000],
    ['additive', 'ids', 60_000, undefined],
  ] as const)('ids from keys: %s, at %s, from %s ms to %s ms', (kind, place, was, is) => {
    const [before, after] = [was, is].map((withinMs) =>
      declared(withinMs === undefined ? {} : { ids: { from: 'uuid7', withinMs } }),
    );
    expect(schemaChanges(before!, after!)).toEqual([
      expect.objectContaining({ kind, place: `booking.${place}` }),
    ]);
  });

  test.each(CONTENT)('%s is %s, at %s', (_, kind, place, was, is) => {
    const [before, after] = [was, is].map((content) =>
      declared(content === undefined ? { ...withContent({}), content } : withContent(content)),
    );
    const changes = schemaChanges(before ?? declared({}), after ?? declared({}));
    expect(changes).toContainEqual(expect.objectContaining({ kind, place: `booking.${place}` }));
    for (const change of changes) expect(change.kind === 'additive' || change.mend !== '').toBe(true);
  });

  test('an entity that is new, and one that is gone: a renamed one is both', () => {
    const renamed = { name: 'reservation' };
    expect(schemaChanges(declared({}), declared(renamed)).map(({ kind, place }) => [kind, place])).toEqual([
      ['breaking', 'booking'],
      ['additive', 'reservation'],
    ]);
  });

  const at = (...names: string[]): object => ({ sites: names });
  test.each<[string, object, object, ChangeClass, RegExp]>([
    ['fewer', {}, at('aws-a', 'azure-b'), 'backfill', /was every site .*removes its records by itself/],
    ['without one', at('aws-a', 'azure-b'), at('aws-a'), 'backfill', /removes its records by itself/],
    ['unique', {}, { ...at('aws-a'), unique: ['title'] }, 'backfill', /claimed anew/],
    [
      'every, unique',
      { ...at('aws-a'), unique: ['title'] },
      { unique: ['title'] },
      'backfill',
      /claimed anew/,
    ],
    ['one more', at('aws-a'), at('azure-b', 'aws-a'), 'additive', /or by `repair`/],
    ['every', at('aws-a'), {}, 'additive', /and is every site/],
    ['others', at('aws-a'), at('azure-b'), 'breaking', /release 1: both/],
  ])('of the sites that keep the records: %s', (_, before, after, kind, says) => {
    const found = schemaChanges(declared(before), declared(after)).filter(
      ({ place }) => place === 'booking.sites',
    );
    expect(found.map((change) => change.kind)).toEqual([kind]);
    expect(`${found[0]?.what} ${found[0]?.mend}`).toMatch(says);
    expect(schemaChanges(declared(at('aws-a', 'azure-b')), declared(at('azure-b', 'aws-a')))).toEqual([]);
  });

  const by = (writes: string): object => ({ writes });
  test.each<[string, object, object, ChangeClass, RegExp]>([
    ['one', {}, by('aws-a'), 'backfill', /those of the older one take writes/],
    ['every site again', by('aws-a'), {}, 'additive', /two sites may write/],
    ['another', by('aws-a'), by('azure-b'), 'breaking', /promote/],
  ])('of the site that writes: %s', (_, before, after, kind, says) => {
    const [found, ...rest] = schemaChanges(declared(before), declared(after));
    expect([found?.kind, found?.place, rest]).toEqual([kind, 'booking.writes', []]);
    expect(found?.mend).toMatch(says);
  });

  test('is none where only words and code are other', () => {
    const other = {
      description: 'Other',
      ...fields({ title: { ...title, description: 'What it is called', examples: ['x'] } }),
      actions: { confirm: { ...confirm, summary: 'Other', decide: () => ({}) } },
    };
    expect(schemaChanges(declared({}), declared(other))).toEqual([]);
  });

  test('of an index whose field another one lists by: in which order now, and how to keep both meanwhile', () => {
    const owned = { access: { owner: 'customerId' }, indexes: {} };
    const byTitle = { byTitle: { on: 'customerId', order: 'title' } };
    const changes = schemaChanges(declared(owned), declared({ ...owned, indexes: byTitle }));
    expect(changes).toContainEqual({
      kind: 'breaking',
      place: 'booking.indexes.byOwner',
      what: expect.stringMatching(
        /^is gone: byTitle lists by customerId now, in the order of title, ranges of createdAt are refused/,
      ),
      mend: expect.stringMatching(
        /^release 1: declare it, \{ on: 'customerId', order: 'createdAt' \}, before the others on customerId; /,
      ),
    });
    const both = declared({ ...owned, indexes: { byOwner: { on: 'customerId' }, ...byTitle } });
    expect(schemaChanges(declared(owned), both).map(({ kind }) => kind)).toEqual(['additive']);
  });

  test('is refused when it breaks and nobody names its place', () => {
    const changes = schemaChanges(declared({}), declared({ indexes: {}, reactions: {} }));
    expect(refusedOf(changes, ['booking.indexes.byCustomer']).map(({ place }) => place)).toEqual([
      'booking.reactions.mail',
    ]);
    expect(() => refusedOf(changes, ['booking.indexes'])).toThrow(
      "--allow-breaking: there is no breaking change at 'booking.indexes'",
    );
  });
});

const text = { type: 'string', maxLength: 20 } as const;
const ROUTE = {
  method: 'POST',
  path: '/letters/{topic}',
  summary: 'Subscribe',
  keyed: true,
  repeat: 'elsewhere',
  params: { topic: { pattern: '^[a-z]+$' } },
  input: { userId: text, how: { enum: ['mail', 'post'] } },
  required: ['userId'],
  output: { count: { type: 'integer', maximum: 9 }, note: { ...text, optional: true } },
  errors: { no_such_topic: { title: 'No', status: 404 } },
  handle: () => ({ count: 1 }),
};
/** @param others Operations beside `subscribe`, which is left out where it is null. */
function withRoutes(changed: object | null, others: object = {}): SchemaDescription {
  const subscribe = changed === null ? {} : { subscribe: { ...ROUTE, ...changed } };
  const operations = { ...subscribe, ...others };
  if (Object.keys(operations).length === 0) return describeDeclarations([], {}, []);
  const declaration = { name: 'letters', description: 'Letters', operations };
  return describeDeclarations([], {}, [defineRoutes(declaration as never)]);
}
const { how } = ROUTE.input;
const unkeyed = { keyed: false, repeat: 'here' };
const read = { ...unkeyed, method: 'GET', input: { userId: text } };

/** What is declared before and now → class, place behind `routes.`, and a part of what is said of it or of its mend. */
const ROUTES: readonly (readonly [
  title: string,
  ChangeClass,
  string,
  SchemaDescription,
  SchemaDescription,
  RegExp,
])[] = [
  ['a new one', 'additive', 'subscribe', withRoutes(null), withRoutes({}), /404/],
  [
    'one that is gone',
    'breaking',
    'subscribe',
    withRoutes({}),
    withRoutes(null),
    /POST \/letters.*to which callers move/,
  ],
  [
    'another method',
    'breaking',
    'subscribe.path',
    withRoutes({}),
    withRoutes({ method: 'PUT' }),
    /was POST.*is PUT/,
  ],
  [
    'another path',
    'breaking',
    'subscribe.path',
    withRoutes({}),
    withRoutes({ path: '/letters/of/{topic}' }),
    /refused/,
  ],
  [
    'another name of a parameter, under a key',
    'breaking',
    'subscribe.path',
    withRoutes({}),
    withRoutes({ path: '/letters/{about}', params: { about: ROUTE.params.topic } }),
    /sent again after the rollout is refused/,
  ],
  [
    'another name of a parameter',
    'additive',
    'subscribe.path',
    withRoutes(unkeyed),
    withRoutes({ ...unkeyed, path: '/letters/{about}', params: { about: ROUTE.params.topic } }),
    /the same requests/,
  ],
  [
    'another pattern of a parameter',
    'breaking',
    'subscribe.params.topic.pattern',
    withRoutes({}),
    withRoutes({ params: { topic: { pattern: '^[a-c]+$' } } }),
    /cannot be known/,
  ],
  [
    'another name, under a key',
    'breaking',
    'subscribe',
    withRoutes({}),
    withRoutes(null, { join: ROUTE }),
    /called join now.*done again; leave its name/,
  ],
  [
    'another name and a narrower input',
    'breaking',
    'subscribe.input.userId.maxLength',
    withRoutes(unkeyed),
    withRoutes(null, { join: { ...ROUTE, ...unkeyed, input: { userId: { ...text, maxLength: 9 }, how } } }),
    /were valid are not/,
  ],
  [
    'a path out of that of another',
    'breaking',
    'tea',
    withRoutes({}),
    withRoutes({}, { tea: { ...ROUTE, path: '/letters/tea', params: {} } }),
    /takes \/letters\/tea, which subscribe answered/,
  ],
  [
    'a new input',
    'additive',
    'subscribe.input.more',
    withRoutes({}),
    withRoutes({ input: { ...ROUTE.input, more: text } }),
    /every site/,
  ],
  [
    'an input that is gone',
    'breaking',
    'subscribe.input.how',
    withRoutes({}),
    withRoutes({ input: { userId: text } }),
    /refused/,
  ],
  [
    'an input that is needed now',
    'breaking',
    'subscribe.required',
    withRoutes({}),
    withRoutes({ required: ['userId', 'how'] }),
    /how is needed/,
  ],
  [
    'a query of another type',
    'breaking',
    'subscribe.input.userId.type',
    withRoutes(read),
    withRoutes({ ...read, input: { userId: { type: 'integer' } } }),
    /type was string/,
  ],
  [
    'an error with another status',
    'breaking',
    'subscribe.errors.no_such_topic',
    withRoutes({}),
    withRoutes({ errors: { no_such_topic: { title: 'No', status: 410 } } }),
    /new code/,
  ],
  [
    'a scope of its own',
    'breaking',
    'subscribe.access',
    withRoutes({}),
    withRoutes({ access: { scope: 'letters/write' } }),
    /was the scope of records and is letters\/write/,
  ],
  [
    'everybody',
    'additive',
    'subscribe.access',
    withRoutes({}),
    withRoutes({ access: 'everybody' }),
    /everybody/,
  ],
  [
    'no key any more',
    'breaking',
    'subscribe.keyed',
    withRoutes({ repeat: 'here' }),
    withRoutes(unkeyed),
    /done again/,
  ],
  ['a key', 'additive', 'subscribe.keyed', withRoutes(unkeyed), withRoutes({ repeat: 'here' }), /every site/],
  [
    'at its site only',
    'breaking',
    'subscribe.repeat',
    withRoutes({}),
    withRoutes({ repeat: 'here' }),
    /still go/,
  ],
  [
    'another status',
    'breaking',
    'subscribe.status',
    withRoutes({}),
    withRoutes({ status: 201 }),
    /was 200 and is 201/,
  ],
  [
    'an answer with more',
    'additive',
    'subscribe.output.more',
    withRoutes({}),
    withRoutes({ output: { ...ROUTE.output, more: text } }),
    /older release/,
  ],
  [
    'an answer with less',
    'breaking',
    'subscribe.output.note',
    withRoutes({}),
    withRoutes({ output: { count: ROUTE.output.count } }),
    /callers read it/,
  ],
  [
    'an answer that may lack a field',
    'breaking',
    'subscribe.output.count',
    withRoutes({}),
    withRoutes({ output: { ...ROUTE.output, count: { ...ROUTE.output.count, optional: true } } }),
    /left out now/,
  ],
  [
    'an answer that may be more',
    'breaking',
    'subscribe.output.count',
    withRoutes({}),
    withRoutes({ output: { ...ROUTE.output, count: { type: 'integer', maximum: 10 } } }),
    /what they do not know/,
  ],
  [
    'an answer that is less',
    'additive',
    'subscribe.output.count',
    withRoutes({}),
    withRoutes({ output: { ...ROUTE.output, count: { type: 'integer', maximum: 8 } } }),
    /callers know/,
  ],
];

describe('a change of custom routes', () => {
  test.each(ROUTES)('%s is %s, at %s', (_, kind, place, before, after, says) => {
    expect(schemaChanges(before, before)).toEqual([]);
    const found = schemaChanges(before, after).find((change) => change.place === `routes.${place}`);
    expect(found?.kind).toBe(kind);
    expect(`${found?.what}; ${found?.mend}`).toMatch(says);
    expect(found?.kind === 'additive' || found?.mend !== '').toBe(true);
  });

  test('is one for each difference, and none for words and code', () => {
    const renamed = schemaChanges(withRoutes(unkeyed), withRoutes(null, { join: { ...ROUTE, ...unkeyed } }));
    expect(renamed.map(({ kind, place }) => [kind, place])).toEqual([
      ['additive', 'routes.join'],
      ['additive', 'routes.subscribe'],
    ]);
    const words = {
      summary: 'Other',
      input: { userId: { ...text, description: 'Who' }, how },
      handle: () => ({}),
    };
    expect(schemaChanges(withRoutes({}), withRoutes(words))).toEqual([]);
  });

  test('cannot be told of a release that does not say which it had', () => {
    const before = { format: 1, entities: {} } as const;
    expect(schemaChanges(before, withRoutes({}))).toEqual([
      expect.objectContaining({
        kind: 'additive',
        place: 'routes.subscribe',
        what: expect.stringMatching(/or was there/),
      }),
    ]);
    expect(schemaChanges(before, withRoutes(null))).toEqual([]);
  });
});

describe('the declarations as data', () => {
  const text = schemaText(describeDeclarations([misbehaving], {}));

  test('are one text, whatever the order of their members', () => {
    const { title: last, ...rest } = FIELDS;
    expect(schemaText(declared({ fields: { ...rest, title: last } }))).toBe(schemaText(declared({})));
    expect(schemaChanges(readDescription(text, 'x'), describeDeclarations([misbehaving], {}))).toEqual([]);
  });

  test.each([
    ['{', 'x is not JSON'],
    ['null', 'x is no src/shared/registry/schema.json of format 1'],
    ['{"format":2,"entities":{}}', 'x is no src/shared/registry/schema.json of format 1'],
  ])('are refused as %s', (wrong, message) => {
    expect(() => readDescription(wrong, 'x')).toThrow(message);
  });
});

/** JSON Schemas of fields, small enough that two of them are often alike. */
const schemaOf = fc.oneof(
  fc.record(
    {
      type: fc.constant('string'),
      maxLength: fc.integer({ min: 1, max: 3 }),
      minLength: fc.integer({ min: 0, max: 1 }),
      pattern: fc.constantFrom('^a', '^b'),
      enum: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
    },
    { requiredKeys: ['type'] },
  ),
  fc.record({ type: fc.constant('integer'), maximum: fc.nat(3), minimum: fc.integer({ min: -3, max: 0 }) }),
  fc.record(
    {
      type: fc.constant('array'),
      uniqueItems: fc.boolean(),
      items: fc.record({ type: fc.constant('string'), maxLength: fc.nat(2) }),
      merge: fc.constantFrom('set'),
    },
    { requiredKeys: ['type', 'items'] },
  ),
  fc.record(
    {
      type: fc.constant('object'),
      additionalProperties: fc.boolean(),
      required: fc.constantFrom([], ['a']),
      properties: fc.dictionary(
        fc.constantFrom('a', 'b'),
        fc.record({ type: fc.constantFrom('string', 'integer') }),
      ),
    },
    { requiredKeys: ['type', 'properties'] },
  ),
);
const ajv = new Ajv.default({ strict: false });
const anyFields = fc.dictionary(fc.constantFrom('a', 'b', 'c'), schemaOf);
const describedOf = (given: object): SchemaDescription =>
  declared({ fields: given, required: [], indexes: {}, reactions: {}, example: {} });

describe('any two declarations', () => {
  test('have no change exactly when they are one, and each change has a class, a place and, where it is refused, a mend', () => {
    fc.assert(
      fc.property(anyFields, anyFields, (a, b) => {
        const [before, after] = [describedOf(a), describedOf(b)];
        expect(schemaChanges(before, before)).toEqual([]);
        const changes = schemaChanges(before, after);
        expect(changes.length === 0).toBe(schemaText(before) === schemaText(after));
        for (const { kind, place, mend } of changes) {
          expect(place).toMatch(/^booking\./);
          expect(kind === 'additive' || mend.length > 0).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('leave every value valid that was, where no change is breaking', () => {
    const values = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 }),
      fc.integer({ min: -4, max: 4 }),
      fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 3 }), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom<Json>('x', 1, true), { maxKeys: 3 }),
    );
    let compared = 0;
    fc.assert(
      fc.property(schemaOf, schemaOf, fc.array(values, { minLength: 40, maxLength: 40 }), (a, b, given) => {
        const changes = schemaChanges(describedOf({ f: a }), describedOf({ f: b }));
        fc.pre(changes.every(({ kind }) => kind !== 'breaking'));
        const [before, after] = [a, b].map((schema) => ajv.compile({ ...schema, merge: undefined }));
        for (const value of given.filter((each) => before?.(each))) {
          expect({ a, b, value, isValid: after?.(value) }).toMatchObject({ isValid: true });
          compared += 1;
        }
      }),
      { numRuns: 300 },
    );
    expect(compared).toBeGreaterThan(100);
  });
});
