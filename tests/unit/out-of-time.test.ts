/** A request that its platform is about to cut off. */
import { expect, test } from '@jest/globals';
import { responseReserveMs } from '../../src/shared/bounds.ts';
import { httpService } from '../../src/shared/http/service.ts';
import { invokeLambda } from '../helpers/call.ts';

test('is answered while there is time, as one that may have taken effect', async () => {
  const service = httpService({
    site: 'aws-us-east-1',
    routes: [{ method: 'POST', path: '/write', handle: () => new Promise(() => undefined) }],
    logger: { log: () => undefined },
    elapsed: () => 0,
  });
  const context = { awsRequestId: 'r1', getRemainingTimeInMillis: () => responseReserveMs + 1 };
  const { status, headers, text } = await invokeLambda((event: never) => service(event, context), {
    method: 'POST',
    path: '/write',
  });
  expect([status, headers['retry-after']]).toEqual([503, '2']);
  expect(JSON.parse(text)).toMatchObject({ code: 'ambiguous' });
});
