/** What handlers of custom routes find and change of records that have owners. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { AmbiguousError, NotKeptHereError, NotYetHereError } from '@tandem-clouds/replication/errors';
import { encodeStamp } from '@tandem-clouds/replication/stamp';
import { defineRoutes } from '../../../src/shared/domain/routes/define-routes.ts';
import type { WritableRecords } from '../../../src/shared/domain/routes/route-records.ts';
import { InvalidError, NotFoundError, RuleFaultError } from '../../../src/shared/errors.ts';
import { customRoutes } from '../../../src/shared/http/custom-routes.ts';
import type { Caller, HttpRequest } from '../../../src/shared/http/route.ts';
import { recordsOfRequest } from '../../../src/shared/http/route-records.ts';
import { seenStates, sessionToken } from '../../../src/shared/http/session.ts';
import { bookingWith, type OwnedApi, ownedApi } from '../../helpers/owned-entity.ts';
import { checksOf } from '../../helpers/sample-routes.ts';

let api: OwnedApi;
/** How many states the answer to the last request names; and of which records. */
let named: () => number;
let namedKeys: () => readonly string[];

beforeEach(() => {
  api = ownedApi(bookingWith({ owner: 'customerId' }), []);
});

interface Options {
  readonly key?: string;
  readonly session?: string;
  readonly actsForAnybody?: boolean;
  readonly right?: 'read' | 'write';
}

/** The records of one request. @param who Undefined: nobody is asked. */
function bookings(
  who: string | undefined,
  { key, session, actsForAnybody = false, right = 'write' }: Options = {},
): WritableRecords {
  const caller: Caller | undefined =
    who === undefined ? undefined : { name: who, identity: who, subject: who, scopes: [], claims: {} };
  const request = {
    headers: {
      ...(key !== undefined && { 'idempotency-key': key }),
      ...(session !== undefined && { 'x-tandem-session': session }),
    },
    params: {},
    query: {},
    caller,
    body: undefined,
  } as unknown as HttpRequest;
  const options = { operation: 'op', keyed: key !== undefined, actsForAnybody, namesStates: true, body: {} };
  const { records, sessionHeader } = recordsOfRequest([{ ...api.used, right }], request, options);
  namedKeys = () => seenStates({ headers: sessionHeader() } as HttpRequest).map((state) => state.key);
  named = () => namedKeys().length;
  return records['booking'] as WritableRecords;
}

describe('a handler', () => {
  test('finds and changes what its caller could by the routes of the entity, and nothing of others', async () => {
    const made = await bookings('ann').create({ note: 'mine', room: 'r1' });
    expect(named()).toBe(1);
    expect(made).toMatchObject({ customerId: 'ann', note: 'mine', status: 'open' });
    await expect(bookings('bob').read(made.id)).rejects.toThrow(NotFoundError);
    expect(await bookings('bob').find(made.id)).toBeUndefined();
    await expect(bookings('bob').change(made.id, { note: 'his' })).rejects.toThrow(NotFoundError);
    await expect(bookings('bob').remove(made.id)).rejects.toThrow(NotFoundError);
    expect((await bookings('bob').list()).items).toEqual([]);
    expect((await bookings('ann').list({ limit: 5 })).items.map(({ id }) => id)).toEqual([made.id]);
    await expect(bookings('bob').list({ where: { customerId: 'ann' } })).rejects.toThrow(InvalidError);
    await expect(bookings(undefined).read(made.id)).rejects.toThrow('this site asks nobody who they are');
    await expect(bookings('ann').read('no id')).rejects.toThrow(NotFoundError);
  });

  test('that lists by what no index serves is at fault; what its caller may not list is refused in words of its own', async () => {
    const list = (where: Record<string, string>, who = 'ann') => bookings(who).list({ where });
    await expect(list({ note: 'mine' })).rejects.toThrow(
      new RuleFaultError(
        'the route op lists bookings by what no index serves: note is not a known parameter: there is customerId=… with a range of createdAt',
      ),
    );
    await expect(list({ 'room[near]': 'r1' })).rejects.toThrow(RuleFaultError);
    // An index serves it, and one owner does not see it.
    await expect(list({ room: 'r1' })).rejects.toMatchObject({
      message: 'op does not list bookings by this, for who asks',
      failures: [{ pointer: '/bookings/room', rule: 'unknown' }],
    });
    await expect(list({ 'createdAt[gte]': 'soon' })).rejects.toMatchObject({
      failures: [{ pointer: '/bookings/createdAt[gte]', rule: 'type' }],
    });
    await expect(bookings('ann').list({ cursor: '!' })).rejects.toMatchObject({
      failures: [{ pointer: '/bookings/cursor', rule: 'cursor' }],
    });
  });

  test('writes what clients write; what actions write, by the action', async () => {
    const { id } = await bookings('ann').create({ note: 'mine' });
    expect(await bookings('ann').change(id, { note: 'changed' })).toMatchObject({ note: 'changed' });
    await expect(bookings('ann').change(id, { status: 'cancelled' })).rejects.toThrow(InvalidError);
    await expect(bookings('ann').create({ note: 7 })).rejects.toThrow('the booking is invalid');
    expect(await bookings('ann').act(id, 'cancel', { why: 'rain' })).toMatchObject({ status: 'cancelled' });
    await expect(bookings('ann').act(id, 'cancel', { why: 7 })).rejects.toThrow(InvalidError);
    await expect(bookings('ann').act(id, 'resurrect')).rejects.toThrow('booking has no action resurrect');
    await bookings('ann').remove(id);
    expect(await bookings('ann').find(id)).toBeUndefined();
  });

  test('reads and writes nothing that is older than what the request has seen', async () => {
    const { id } = await bookings('ann').create({ note: 'mine' });
    const held = api.site.held(`booking:${id}`)!;
    const stamp = encodeStamp(api.site.nowMs, 9, api.site.site.site);
    const later = { ...held, state: { ...held.state, vector: { [api.site.site.site]: stamp } } };
    const request = { session: sessionToken(later) };
    await expect(bookings('ann', request).read(id)).rejects.toThrow(NotYetHereError);
    await expect(bookings('ann', request).find(id)).rejects.toThrow(NotYetHereError);
    await expect(bookings('ann', request).list()).rejects.toThrow(NotYetHereError);
    await expect(bookings('ann', request).change(id, { note: 'x' })).rejects.toThrow(NotYetHereError);
    await expect(bookings('ann', request).act(id, 'cancel')).rejects.toThrow(NotYetHereError);
    await expect(bookings('ann', request).remove(id)).rejects.toThrow(NotYetHereError);
    expect(await bookings('ann', { session: sessionToken(held) }).read(id)).toMatchObject({ note: 'mine' });
  });

  test('names what it has written before what it has read, as many as a request carries', async () => {
    const made: string[] = [];
    for (let n = 0; n < 20; n += 1) made.push((await bookings('ann').create({ note: String(n) })).id);
    const records = bookings('ann');
    await records.change(made[0]!, { note: 'changed' });
    await records.remove(made[1]!);
    for (const id of made.filter((each) => each !== made[1])) await records.read(id);
    expect(namedKeys()).toHaveLength(16);
    expect(namedKeys()).toEqual(expect.arrayContaining([`booking:${made[0]!}`, `booking:${made[1]!}`]));
  });

  test('finds nothing to remove a second time, unless the request carries the key that removed it', async () => {
    const { id } = await bookings('ann').create({ note: 'mine' });
    await bookings('ann', { key: 'k' }).remove(id);
    await bookings('ann', { key: 'k' }).remove(id);
    expect(named()).toBe(1);
    await expect(bookings('ann', { key: 'another' }).remove(id)).rejects.toThrow(NotFoundError);
    await expect(bookings('bob', { key: 'k' }).remove(id)).rejects.toThrow(NotFoundError);
    await expect(bookings('ann').remove(id)).rejects.toThrow(NotFoundError);
    const twice = bookings('ann', { key: 'twice' });
    await expect(twice.remove(id)).rejects.toThrow(NotFoundError);
    await expect(twice.remove(id)).rejects.toThrow(`does 'remove ${id}' twice in one request`);
  });

  test('that removed a record under a key leaves alone what is created there later', async () => {
    api = ownedApi(bookingWith({}), []);
    const make = { bookingId: 'b1', note: 'first' };
    await bookings('ann').create(make);
    await bookings('ann', { key: 'k' }).remove('b1');
    await bookings('ann').create({ ...make, note: 'second' });
    await bookings('ann', { key: 'k' }).remove('b1');
    expect(await bookings('ann').read('b1')).toMatchObject({ note: 'second' });
  });

  test('at a site that does not keep the records is sent to one that does', async () => {
    const entity = { ...api.used.entity, sites: ['azure-eastus'] };
    const { records } = recordsOfRequest(
      [{ ...api.used, entity }],
      { headers: {}, params: {}, query: {} } as unknown as HttpRequest,
      { operation: 'op', keyed: false, actsForAnybody: false, namesStates: true, body: {} },
    );
    const { booking } = records as unknown as { booking: WritableRecords };
    await expect(booking.find('a')).rejects.toThrow('kept at azure-eastus only');
    await expect(booking.create({ note: 'x' })).rejects.toThrow('kept at azure-eastus only');
  });

  test.each([
    [{ writesBefore: false }, NotKeptHereError],
    [{ writesBefore: true }, AmbiguousError],
  ])('is sent elsewhere only while nothing has happened here: %j', async (input, error) => {
    const routes = defineRoutes({
      name: 'carts',
      description: 'Carts',
      uses: { records: { booking: 'write', receipt: 'write' } },
      operations: {
        checkOut: {
          method: 'POST',
          path: '/carts',
          summary: 'Book, and write a receipt',
          input: { writesBefore: { type: 'boolean' } },
          async handle({ input: { writesBefore } }, { records }) {
            if (writesBefore === true) await records.booking.create({ note: 'mine' });
            await records.receipt.create({ note: 'paid' });
          },
        },
      },
    });
    const receipt = { ...api.used.entity, name: 'receipt', sites: ['azure-eastus'] };
    const [route] = customRoutes(routes, {
      checks: checksOf(routes),
      entities: [api.used, { ...api.used, entity: receipt }],
      context: () => ({}),
    });
    const ann = { name: 'ann', identity: 'ann', subject: 'ann', scopes: [], claims: {} };
    const request = { headers: {}, params: {}, query: {}, caller: ann, body: input, event: {} };
    await expect(route?.handle(request as unknown as HttpRequest)).rejects.toThrow(error);
    expect((await bookings('ann').list()).items).toHaveLength(input.writesBefore ? 1 : 0);
  });

  test('that only reads has nothing that writes', () => {
    expect(Object.keys(bookings('ann', { right: 'read' })).sort()).toEqual([
      'actingFor',
      'find',
      'list',
      'read',
    ]);
  });

  test('acts for whom it names only where that is declared', async () => {
    const { id } = await bookings('ann').create({ note: 'mine' });
    expect(() => bookings('bob').actingFor({ owner: 'ann' })).toThrow('declare uses.actsForAnybody');
    const webhook = bookings(undefined, { actsForAnybody: true });
    expect(await webhook.actingFor({ owner: 'ann' }).change(id, { note: 'paid' })).toMatchObject({
      note: 'paid',
    });
    expect(await webhook.actingFor({ owner: 'bob' }).find(id)).toBeUndefined();
    // Keys of others' records are in such tokens.
    expect(named()).toBe(0);
    expect((await webhook.actingFor({}).list()).items).toHaveLength(1);
  });

  test('does each named write of one key once, and not one name twice in a request', async () => {
    const first = bookings('ann', { key: 'k' });
    const made = await first.create({ note: 'a' }, { step: 'first' });
    const second = await first.create({ note: 'b' }, { step: 'second' });
    expect(second.id).not.toBe(made.id);
    await expect(first.create({ note: 'c' }, { step: 'first' })).rejects.toThrow(
      "does 'first' twice in one request",
    );
    const again = bookings('ann', { key: 'k' });
    expect((await again.create({ note: 'a' }, { step: 'first' })).id).toBe(made.id);
    expect((await bookings('bob', { key: 'k' }).create({ note: 'a' }, { step: 'first' })).id).not.toBe(
      made.id,
    );
    await again.act(made.id, 'cancel', { why: 'x' });
    expect(await bookings('ann', { key: 'k' }).act(made.id, 'cancel', { why: 'x' })).toMatchObject({
      tags: [expect.stringContaining('x')],
    });
  });
});
