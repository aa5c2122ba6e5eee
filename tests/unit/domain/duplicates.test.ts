/** What is done when two sites gave one value to two records: two sites in memory, a run that the test watches. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { applyBatch } from '@tandem-clouds/replication/apply';
import { canonicalJson } from '@tandem-clouds/replication/canonical-json';
import type { Json } from '@tandem-clouds/replication/json';
import { driveReact } from '@tandem-clouds/replication/reactions/drive-react';
import { isDue } from '@tandem-clouds/replication/reactions/due-at';
import { react, type Step } from '@tandem-clouds/replication/reactions/react';
import { setEntries } from '@tandem-clouds/replication/reactions/scan';
import { entityOf, type RecordState } from '@tandem-clouds/replication/record';
import { encodeStamp, stampSite } from '@tandem-clouds/replication/stamp';
import { reservationGraceMs } from '../../../src/shared/bounds.ts';
import { digest, sha256 } from '../../../src/shared/digest.ts';
import { defineEntity } from '../../../src/shared/domain/define-entity.ts';
import type { DuplicateContext, Values } from '../../../src/shared/domain/entity.ts';
import { EntityService } from '../../../src/shared/domain/entity-service.ts';
import { reactionsOf, runReaction, within } from '../../../src/shared/domain/reactions.ts';
import { settlementsOf } from '../../../src/shared/domain/unique/duplicates.ts';
import { placedClaims } from '../../../src/shared/domain/unique/reservation.ts';
import { uniqueValues } from '../../../src/shared/domain/unique/unique-values.ts';
import type { Services } from '../../../src/shared/ports/services.ts';
import { checkEvent } from '../../../src/shared/validation/check-event.ts';
import { TestSite } from '../../helpers/test-site.ts';

interface Called {
  readonly at: string;
  readonly loser: Values;
  readonly context: DuplicateContext;
}

let calls: Called[];
let answer: (context: DuplicateContext) => object | undefined;

const member = defineEntity({
  name: 'member',
  collection: 'members',
  idField: 'memberId',
  description: 'A member of a club',
  required: [],
  fields: {
    email: { type: 'string', by: ['client', 'reaction'] },
    nick: { type: 'string' },
    sharedWith: { type: 'string', by: 'reaction' },
  },
  unique: ['email', 'nick'],
  onDuplicate: {
    run: (loser, context) => {
      calls.push({ at: context.site, loser, context });
      return Promise.resolve(answer(context));
    },
  },
  example: { email: 'ada@example.com' },
});
const uniqueOf = uniqueValues([member], sha256);
const reactions = reactionsOf([member], digest, uniqueOf);

let aws: TestSite;
let azure: TestSite;
const ADA = 'ada@example.com';

function siteOf(name: string, peer: string): TestSite {
  const site = new TestSite(name, [peer]);
  Object.assign(site.site, { reactions });
  return site;
}

function club(site: TestSite): EntityService {
  return new EntityService(member, site.replica([], undefined, uniqueOf), () => []);
}

const create = (site: TestSite, memberId: string, fields: Record<string, string> = { email: ADA }) =>
  club(site).create({ memberId, ...fields }, {});

const view = async (site: TestSite, id: string): Promise<Record<string, unknown>> =>
  club(site).view(await club(site).read(id));

/** What either has sent arrives at the other; what is not let through stays. */
async function cross(lets: (key: string) => boolean = () => true): Promise<void> {
  for (const [from, to] of [
    [aws, azure],
    [azure, aws],
  ] as const) {
    const all = from.outbox.sent.splice(0);
    const keyOf = ({ body }: { body: string }): string => (JSON.parse(body) as { key: string }).key;
    from.outbox.sent.push(...all.filter((message) => lets(keyOf(message))));
    await to.run(applyBatch(to.site, from.outboxDeliveries(), checkEvent));
    from.outbox.sent.splice(0, Infinity, ...all.filter((message) => !lets(keyOf(message))));
  }
}

/** Does what is due for one key. */
function reactOn(site: TestSite, key: string): Promise<readonly Step[]> {
  return driveReact(react(site.site, key, { within: within([member], digest, uniqueOf) }), {
    resources: site.resources,
    run: (effect) =>
      runReaction([member], effect, {
        site: site.site.site,
        now: site.site.now,
        signal: AbortSignal.timeout(1_000),
        services: {} as Services,
        byMember: true,
        check: () => [],
      }),
  });
}

/** Does what is due at a site until nothing is. */
async function reactAt(site: TestSite): Promise<readonly Step[]> {
  const steps: Step[] = [];
  const dueKeys = (): string[] =>
    [...site.store.items.values()]
      .filter(({ record }) => isDue(record, site.nowMs))
      .map(({ record }) => record.key);
  for (let keys = dueKeys(); keys.length > 0; keys = dueKeys())
    for (const key of keys) steps.push(...(await reactOn(site, key)));
  return steps;
}

/** Long enough for everything that nobody holds up. */
async function settle(lets?: (key: string) => boolean): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    await cross(lets);
    for (const site of [aws, azure]) {
      site.nowMs += reservationGraceMs;
      const steps = await reactAt(site);
      expect(steps.filter(({ kind }) => kind === 'parked' || kind === 'failed')).toEqual([]);
    }
  }
}

const lossesNamed = (): unknown[] =>
  calls.map(({ at, loser, context: { field, value, winner } }) => [at, loser['id'], field, value, winner]);

beforeEach(() => {
  calls = [];
  answer = ({ winner }) => ({ sharedWith: winner });
  [aws, azure] = [siteOf('aws-1', 'azure-1'), siteOf('azure-1', 'aws-1')];
  azure.nowMs = aws.nowMs + 5;
});

describe('onDuplicate', () => {
  test('is run once, for the record that claimed the value later, by the site that gave it', async () => {
    await create(aws, 'm1');
    await create(azure, 'm2');
    await settle();
    await settle();
    expect(lossesNamed()).toEqual([['azure-1', 'm2', 'email', ADA, 'm1']]);
    expect(calls[0]?.context.effectId).toMatch(/^onDuplicate-[\w-]{32}$/);
    for (const site of [aws, azure]) {
      expect(await view(site, 'm2')).toMatchObject({ email: ADA, sharedWith: 'm1' });
      expect(await view(site, 'm1')).not.toHaveProperty('sharedWith');
      expect(await site.store.due(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
    }
  });

  test('is run by the site that writes the entity, whichever site has claimed', async () => {
    const written = (by: TestSite) => ({
      declaredWriter: (key: string) => (entityOf(key) === 'member' ? by.site.site : undefined),
    });
    // Azure is promoted while AWS, which is not lost after all, writes on.
    for (const site of [aws, azure]) Object.assign(site.site, written(site));
    await create(azure, 'm1');
    aws.nowMs = azure.nowMs + 5;
    await create(aws, 'm2');
    Object.assign(aws.site, written(azure));
    await settle();
    await settle();
    await settle();
    expect(lossesNamed()).toEqual([['azure-1', 'm2', 'email', ADA, 'm1']]);
  });

  test('may take the value away, and then it is free for the third', async () => {
    answer = () => ({ email: null });
    await create(aws, 'm1');
    await create(azure, 'm2');
    await settle();
    expect(await view(aws, 'm2')).not.toHaveProperty('email');
    await expect(create(azure, 'm3')).rejects.toThrow('another record has this email');
  });

  test('cannot give a value that is unique', async () => {
    answer = () => ({ email: 'eve@example.com' });
    await create(aws, 'm1');
    await create(azure, 'm2');
    await cross();
    azure.nowMs += 2 * reservationGraceMs;
    aws.nowMs += 2 * reservationGraceMs;
    await reactAt(aws);
    await cross();
    const steps = await reactAt(azure);
    expect(steps.at(-1)).toMatchObject({ kind: 'parked', reason: 'refused' });
    expect(steps.at(-1)?.detail).toContain('a reaction may only take it away');
  });

  test('does not wait for the other record: what is claimed crosses before it', async () => {
    await create(aws, 'm1');
    await create(azure, 'm2');
    await settle((key) => entityOf(key) === 'unique');
    expect(azure.held('member:m1')).toBeUndefined();
    expect(lossesNamed()).toEqual([['azure-1', 'm2', 'email', ADA, 'm1']]);
    await settle();
    expect(calls).toHaveLength(1);
  });

  test('is run for each field, one after the other', async () => {
    await create(aws, 'm1', { email: ADA, nick: 'countess' });
    await create(azure, 'm2', { email: ADA, nick: 'countess' });
    await settle();
    expect(lossesNamed()).toEqual([
      ['azure-1', 'm2', 'email', ADA, 'm1'],
      ['azure-1', 'm2', 'nick', 'countess', 'm1'],
    ]);
  });

  const over: [string, () => Promise<unknown>][] = [
    ['the winner is deleted', () => club(aws).remove('m1', {})],
    ['the winner gives the value up', () => club(aws).change('m1', { email: 'eve@example.com' }, {})],
    ['the loser is deleted', () => club(azure).remove('m2', {})],
    ['the loser gives the value up', () => club(azure).change('m2', { email: 'eve@example.com' }, {})],
    ['both are deleted', () => Promise.all([club(aws).remove('m1', {}), club(azure).remove('m2', {})])],
  ];
  test.each(over)('is not run when %s before anybody knows', async (_, end) => {
    await create(aws, 'm1');
    await create(azure, 'm2');
    await end();
    await settle();
    expect(calls).toEqual([]);
  });

  test('is not run for who takes a value that was given up, also where the news of it is late', async () => {
    await create(aws, 'm1');
    await cross();
    await club(aws).remove('m1', {});
    await cross((key) => key !== 'member:m1');
    for (const site of [aws, azure]) site.nowMs += reservationGraceMs + 1;
    await create(aws, 'm2');
    await cross((key) => key !== 'member:m1');
    await settle((key) => key !== 'member:m1');
    expect(placedClaims(azure.held(uniqueOf('member:x')!.reservationOf('email', ADA))!.state)).toHaveLength(
      2,
    );
    await settle();
    expect(calls).toEqual([]);
  });

  test('is run again for another loss of the same value', async () => {
    await create(aws, 'm1');
    await create(azure, 'm2');
    await settle();
    await club(azure).change('m2', { email: null }, {});
    await club(aws).remove('m1', {});
    await settle();
    await create(aws, 'm3');
    azure.nowMs = aws.nowMs + 5;
    await club(azure).change('m2', { email: ADA }, {});
    await settle();
    // Its first claim is older than that of the third record.
    expect(lossesNamed().slice(1)).toEqual([['aws-1', 'm3', 'email', ADA, 'm2']]);
  });

  test('a new one is run for what happened before when a backfill asks for it', async () => {
    for (const site of [aws, azure]) Object.assign(site.site, { reactions: undefined });
    await create(aws, 'm1');
    await create(azure, 'm2');
    await cross();
    for (const site of [aws, azure]) Object.assign(site.site, { reactions });
    await settle();
    expect(calls).toEqual([]);
    for (const site of [aws, azure])
      expect(
        await site.run(setEntries(site.site, { entity: 'member', reaction: 'onDuplicate' })),
      ).toMatchObject({ set: 1 });
    await settle();
    expect(calls).toHaveLength(1);
  });
});

test('who was marked has not lost once an earlier claim of it has arrived', async () => {
  const pass = (ms = reservationGraceMs + 1): void => {
    for (const site of [aws, azure]) site.nowMs += ms;
  };
  const email = (site: TestSite, id: string, value: string): Promise<unknown> => {
    pass();
    return club(site).change(id, { email: value }, {});
  };
  const isMember = (key: string): boolean => entityOf(key) === 'member';
  const reservation = uniqueOf('member:m8')!.reservationOf('email', ADA);
  const settleClaims = async (): Promise<void> => {
    pass();
    for (const site of [aws, azure]) await reactOn(site, reservation);
  };
  // m8 claims it first at AWS, which Azure does not hear for long; there m1 does, and then m8 again.
  await create(aws, 'm8');
  await email(aws, 'm8', 'x@example.com');
  await cross(isMember);
  pass();
  await create(azure, 'm1');
  await email(azure, 'm1', 'y@example.com');
  await cross((key) => key === 'member:m1');
  await email(azure, 'm8', ADA);
  await email(aws, 'm1', ADA);
  await cross(isMember);
  pass();
  await reactOn(azure, reservation);
  expect(Object.keys(azure.held('member:m8')!.state.sets?.['$lost'] ?? {})).toHaveLength(1);
  for (let round = 0; round < 4; round += 1) {
    await cross();
    await settleClaims();
  }
  await settle();
  expect(lossesNamed()).toEqual([[expect.any(String), 'm1', 'email', ADA, 'm8']]);
});

test('a claim of one site leaves that of another, which finds out about it', async () => {
  await create(aws, 'm1');
  await cross((key) => entityOf(key) === 'unique');
  await create(azure, 'm1');
  const { state } = azure.held(uniqueOf('member:m1')!.reservationOf('email', ADA))!;
  expect(placedClaims(state).map(({ site, claim }) => [site, claim.record])).toEqual([
    ['aws-1', 'member:m1'],
    ['azure-1', 'member:m1'],
  ]);
});

test('a value that is there already is no change of it', async () => {
  await create(aws, 'm1');
  const before = aws.held('member:m1')?.state.fields['email'];
  aws.nowMs += 1_000;
  await club(aws).change('m1', { email: ADA, nick: 'countess' }, {});
  expect(aws.held('member:m1')?.state.fields['email']).toEqual(before);
});

test('a site that found no earlier holder judges again once another site has found one', () => {
  const claims = [
    { record: 'member:c', at: 1, seen: 1, by: 'eu/1' },
    { record: 'member:a', at: 2, seen: 2, by: 'aws/1' },
    { record: 'member:b', at: 3, seen: 3, by: 'azure/1' },
  ];
  const key = 'unique:x';
  const stamps = ['eu', 'aws', 'azure'].map((site) => encodeStamp(1_800_000_000_000, 0, site));
  const duplicates = { uniqueOf, digest, isDeclared: () => true };
  const stateOf = (found: readonly (object | undefined)[]): RecordState => ({
    fields: {},
    sets: {
      claims: Object.fromEntries(
        claims.map((claim, n) => [
          `${stampSite(stamps[n]!)}|${n}`,
          [stamps[n]!, { ...claim, ...(found[n] && { found: found[n] as Json }) }] as const,
        ]),
      ),
    },
    vector: Object.fromEntries(stamps.map((stamp) => [stampSite(stamp), stamp])),
  });
  const open = (...found: readonly (object | undefined)[]): readonly string[] =>
    settlementsOf(key, stateOf(found), duplicates).map(({ origin }) => origin);
  const among = digest(canonicalJson(claims.map(({ record, by }) => [record, by])));
  const holds = { among, holds: stamps[0] };
  // When b was judged, a had given the value up, and nobody knew of c.
  const judged = { ...holds, judged: 1 };
  expect(open(undefined, { ...holds, judged: 0 }, judged)).toEqual(['eu']);
  expect(open(holds, { ...holds, judged: 0 }, judged)).toEqual(['aws', 'azure']);
  expect(open(holds, { ...holds, judged: 1 }, { ...holds, judged: 2 })).toEqual([]);
});
