/** What Lambda refuses about provisioned concurrency, by the vendor's client. */
import {
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetFunctionConfigurationCommand,
  GetProvisionedConcurrencyConfigCommand,
  LambdaClient,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type LambdaServer, startLambda } from '../src/lambda/server.ts';

let server: LambdaServer;
let client: LambdaClient;
beforeEach(async () => {
  server = await startLambda({
    functions: {
      one: { memoryMb: 512, aliases: ['live'] },
      held: { memoryMb: 512, aliases: ['live'], reserved: 5 },
    },
    concurrentExecutions: 110,
  });
  client = new LambdaClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
    maxAttempts: 1,
  });
});
afterEach(async () => {
  client.destroy();
  await server.close();
});

const put = (name: string, alias: string, count: number) =>
  client.send(
    new PutProvisionedConcurrencyConfigCommand({
      FunctionName: name,
      Qualifier: alias,
      ProvisionedConcurrentExecutions: count,
    }),
  );
const live = { FunctionName: 'one', Qualifier: 'live' };

describe('provisioned concurrency', () => {
  test('is asked for, there a few looks later, and gone when it is deleted', async () => {
    expect(await put('one', 'live', 3)).toMatchObject({ Status: 'IN_PROGRESS' });
    const states = [];
    for (let look = 0; look < 3; look += 1) {
      states.push((await client.send(new GetProvisionedConcurrencyConfigCommand(live))).Status);
    }
    expect(states).toEqual(['IN_PROGRESS', 'READY', 'READY']);
    expect(await client.send(new GetAccountSettingsCommand({}))).toMatchObject({
      AccountLimit: { ConcurrentExecutions: 110, UnreservedConcurrentExecutions: 102 },
    });
    await client.send(new DeleteProvisionedConcurrencyConfigCommand(live));
    await expect(client.send(new GetProvisionedConcurrencyConfigCommand(live))).rejects.toMatchObject({
      name: 'ProvisionedConcurrencyConfigNotFoundException',
    });
  });

  test.each([
    ['of a function that is not there', 'two', 'live', 1, 'ResourceNotFoundException'],
    ['at an alias that is not there', 'one', 'other', 1, 'ResourceNotFoundException'],
    ['of what is not published', 'one', '$LATEST', 1, 'InvalidParameterValueException'],
    ['of nothing', 'one', 'live', 0, 'InvalidParameterValueException'],
    ['of more than the account leaves', 'one', 'live', 6, 'InvalidParameterValueException'],
    ['of more than the function has reserved', 'held', 'live', 6, 'InvalidParameterValueException'],
  ])('is refused %s', async (_title, name, alias, count, code) => {
    await expect(put(name, alias, count)).rejects.toMatchObject({ name: code });
  });

  test('of what is reserved takes nothing from the others', async () => {
    await put('held', 'live', 5);
    expect(await put('one', 'live', 5)).toMatchObject({ RequestedProvisionedConcurrentExecutions: 5 });
  });

  test('needs a signature', async () => {
    const response = await fetch(`${server.url}/2016-08-19/account-settings`);
    expect(response.status).toBe(403);
  });

  test('says what an alias has of memory', async () => {
    expect(await client.send(new GetFunctionConfigurationCommand(live))).toMatchObject({ MemorySize: 512 });
  });
});
