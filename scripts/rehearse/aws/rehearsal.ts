/** The AWS site from the first deployment to its end, and what can go wrong on the way, against moto. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { moto } from '@tandem-clouds/testkit/peers/moto';
import { withPeer } from '@tandem-clouds/testkit/peers/peer';
import { reported, type Workplace } from '../command.ts';
import type { Report } from '../report.ts';
import { acceptWarnings, failsAt, refused, withoutType } from './faults.ts';
import { startFront } from './front.ts';
import { inventory, queryAt, REGION } from './inventory.ts';
import { beforeAnything, regionWithoutService, stackOfOthers } from './refusals.ts';
import { FIRST, kinds, type RehearsalRun, SECOND, STACK, succeeds } from './rehearsal-run.ts';
import { checkSite, identities, settings, type Template } from './site.ts';

/** @param secrets Credentials that look like real ones, to be searched for afterwards. */
export async function rehearseAws(
  report: Report,
  place: Workplace,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  await withPeer(moto, async (endpoint) => {
    const front = await startFront(endpoint);
    const query = queryAt(endpoint);
    const run: RehearsalRun['run'] = async (args, fault = acceptWarnings, env = secrets) => {
      front.fault = fault;
      front.requested.length = 0;
      const all = [...args, '-c', 'serverless.aws.yml', '--region', REGION];
      return place.sls(front.port, all, {
        AWS_EC2_METADATA_DISABLED: 'true',
        SLS_AWS_MONITORING_FREQUENCY: '100',
        ...env,
      });
    };
    const rehearsal = { report, place, front, query, run, left: () => inventory(query, endpoint) };
    try {
      await pack(rehearsal);
      await beforeAnything(rehearsal);
      await stackOfOthers(rehearsal);
      await regionWithoutService(rehearsal);
      await halfFailed(rehearsal);
      await backToEarlier(rehearsal, await update(rehearsal));
      await remove(rehearsal);
    } finally {
      await front.close();
    }
  });
}

async function pack(run: RehearsalRun): Promise<void> {
  await run.report.step('aws', 'packages twice: as it is, and with a changed parameter', async () => {
    const of = (folder: string, level: string): readonly string[] => [
      ...['package', '--package', folder],
      ...['--param', 'deletionPolicy=Delete', '--param', `logLevel=${level}`],
    ];
    await succeeds(run, of(FIRST, 'info'));
    await succeeds(run, of(SECOND, 'debug'));
  });
}

async function halfFailed(rehearsal: RehearsalRun): Promise<void> {
  const { report, run, left, query } = rehearsal;
  await report.step('aws', 'deploy that fails half-way: a name is taken', async () => {
    // The first call makes the stack, so that its id is known: nothing but the bucket is in it yet.
    await run(['deploy', '--package', FIRST], withoutType('AWS::None::None'));
    const { Stacks } = await query<{ Stacks: readonly { StackId: string }[] }>(
      'cloudformation',
      'DescribeStacks',
    );
    const reason = 'Resource of type AWS::SQS::Queue with identifier tandem-in already exists.';
    const failing = { stackName: STACK, resource: 'InQueue', type: 'AWS::SQS::Queue', reason };
    const ran = await run(
      ['deploy', '--package', FIRST],
      failsAt({ stackId: Stacks[0]?.StackId ?? '', ...failing }),
    );
    assert.notEqual(ran.code, 0);
    assert.match(ran.output, /InQueue[\s\S]*tandem-in already exists/);
    assert.deepEqual(kinds(await left()), ['bucket', 'stack']);
    return reported(ran);
  });
  await report.step('aws', 'the next deploy succeeds: every resource is as it should be', async () => {
    await succeeds(rehearsal, ['deploy', '--package', FIRST]);
    const file = path.join(rehearsal.place.dir, FIRST, 'cloudformation-template-update-stack.json');
    return checkSite(query, STACK, JSON.parse(fs.readFileSync(file, 'utf8')) as Template);
  });
}

const RECORD = { k: { S: 'item:rehearsal' }, data: { S: 'kept' } };
const KEY = { TableName: 'tandem', Key: { k: RECORD.k } };

type Identities = Awaited<ReturnType<typeof identities>>;

/** The stack's own resources, and what is in them, are those from before. */
async function unharmed({ query }: RehearsalRun, before: Identities): Promise<void> {
  assert.deepEqual(await identities(query), before, 'a resource was replaced');
  const { Item } = await query<{ Item?: typeof RECORD }>('dynamodb', 'GetItem', KEY);
  assert.deepEqual(Item, RECORD, 'a record was lost');
}

/** @returns The identities of what must stay. */
async function update(run: RehearsalRun): Promise<Identities> {
  const { report, query } = run;
  let before: Identities = {};
  await report.step(
    'aws',
    'update: a parameter changes, table and queues stay with what is in them',
    async () => {
      await query('dynamodb', 'PutItem', { TableName: 'tandem', Item: RECORD });
      before = await identities(query);
      assert.equal((await settings(query))['TANDEM_LOG_LEVEL'], 'info');
      await succeeds(run, ['deploy', '--package', SECOND]);
      assert.equal((await settings(query))['TANDEM_LOG_LEVEL'], 'debug');
      await unharmed(run, before);
    },
  );
  await report.step('aws', 'an update with an expired token: refused, nothing changed', async () => {
    const expired = refused('ExpiredToken', 'The security token included in the request is expired');
    const ran = await run.run(['deploy', '--package', FIRST], expired);
    assert.notEqual(ran.code, 0);
    assert.equal((await settings(query))['TANDEM_LOG_LEVEL'], 'debug');
    await unharmed(run, before);
  });
  return before;
}

async function backToEarlier(run: RehearsalRun, before: Identities): Promise<void> {
  const { report, query, place } = run;
  await report.step('aws', '`sls rollback` to the first deployment', async () => {
    const listed = await succeeds(run, ['deploy', 'list']);
    const timestamps = [...listed.output.matchAll(/Timestamp: (\d+)/g)].map(([, at]) => Number(at));
    assert.equal(timestamps.length, 2, listed.output);
    await succeeds(run, ['rollback', '--timestamp', String(Math.min(...timestamps))]);
    assert.equal((await settings(query))['TANDEM_LOG_LEVEL'], 'info');
    await unharmed(run, before);
  });
  await report.step('aws', 'forward again, and back by deploying the earlier package', async () => {
    await succeeds(run, ['deploy', '--package', SECOND]);
    assert.equal((await settings(query))['TANDEM_LOG_LEVEL'], 'debug');
    assert.ok(fs.existsSync(path.join(place.dir, FIRST, 'items.zip')), 'a deployment used the package up');
    await succeeds(run, ['deploy', '--package', FIRST]);
    assert.equal((await settings(query))['TANDEM_LOG_LEVEL'], 'info');
    await unharmed(run, before);
  });
}

async function remove(run: RehearsalRun): Promise<void> {
  const { report, left } = run;
  await report.step('aws', '`sls remove` with an expired token: refused, all is there', async () => {
    const there = await left();
    const ran = await run.run(
      ['remove'],
      refused('ExpiredToken', 'The security token included in the request is expired'),
    );
    assert.notEqual(ran.code, 0, ran.output);
    assert.deepEqual(await left(), there);
    return reported(ran);
  });
  await report.step('aws', '`sls remove`: nothing is left', async () => {
    await succeeds(run, ['remove']);
    assert.deepEqual(await left(), []);
  });
}
