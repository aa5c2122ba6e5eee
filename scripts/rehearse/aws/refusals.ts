/** Deployments to AWS that are refused before a resource of the site is made. */
import assert from 'node:assert/strict';
import { reported } from '../command.ts';
import { refused, withoutType } from './faults.ts';
import type { Fault } from './front.ts';
import { REGION } from './inventory.ts';
import { FIRST, kinds, type RehearsalRun, STACK, succeeds } from './rehearsal-run.ts';

/** Refused before anything is made: whoever deploys is not who they should be, or the place is not there. */
export async function beforeAnything({ report, run, left, front }: RehearsalRun): Promise<void> {
  const deploy = ['deploy', '--package', FIRST];
  const cases: readonly [string, RegExp, Fault | undefined, Record<string, string>?][] = [
    ['no credentials', /credentials not found/, undefined, {}],
    ['an unknown region', /ENOTFOUND cloudformation\.eu-west-1/, undefined, { REHEARSE_UNKNOWN: REGION }],
    [
      'an expired token',
      /security token included in the request is expired/,
      refused('ExpiredToken', 'The security token included in the request is expired'),
    ],
    [
      'credentials of no account, or of one without the region',
      /security token included in the request is invalid/,
      refused('InvalidClientTokenId', 'The security token included in the request is invalid.'),
    ],
  ];
  for (const [title, message, fault, env] of cases) {
    await report.step('aws', `deploy with ${title}: refused, nothing made`, async () => {
      const withKeys = title === 'an unknown region' ? { ...KEYS, ...env } : env;
      const ran = await run(deploy, fault, withKeys);
      assert.notEqual(ran.code, 0);
      assert.match(ran.output, message);
      if (fault === undefined) assert.deepEqual(front.requested, []);
      assert.deepEqual(await left(), []);
      return reported(ran);
    });
  }
}

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIA00000000REHEARSE', AWS_SECRET_ACCESS_KEY: 'unused' };

export async function stackOfOthers({ report, run, left, query }: RehearsalRun): Promise<void> {
  await report.step(
    'aws',
    'deploy and remove where the stack is of others: refused, theirs is as it was',
    async () => {
      const theirs = {
        Resources: { Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'theirs' } } },
      };
      await query('cloudformation', 'CreateStack', {
        StackName: STACK,
        TemplateBody: JSON.stringify(theirs),
      });
      const there = await left();
      assert.equal(there.length, 2);
      const runs = [await run(['deploy', '--package', FIRST]), await run(['remove'])];
      for (const ran of runs) {
        assert.notEqual(ran.code, 0, ran.output);
        assert.match(ran.output, /stack tandem-prod in eu-west-1 is not this service's/);
      }
      assert.deepEqual(await left(), there);
      await query('cloudformation', 'DeleteStack', { StackName: STACK });
      return runs.flatMap(reported);
    },
  );
}

export async function regionWithoutService(rehearsal: RehearsalRun): Promise<void> {
  const { report, run, left } = rehearsal;
  await report.step('aws', 'deploy to a region without a service: named, and removable', async () => {
    const ran = await run(['deploy', '--package', FIRST], withoutType('AWS::ApiGatewayV2::Api'));
    assert.notEqual(ran.code, 0);
    assert.match(ran.output, /Unrecognized resource types: \[AWS::ApiGatewayV2::Api\]/);
    assert.deepEqual(kinds(await left()), ['bucket', 'stack']);
    await succeeds(rehearsal, ['remove']);
    assert.deepEqual(await left(), []);
    return [...reported(ran), 'left: the bucket for packages and its stack, until `sls remove`'];
  });
}
