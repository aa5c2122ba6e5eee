/** What the statement for functions that read secrets allows, against the calls of the adapter. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { startEmulators } from '@tandem-clouds/emulators';
import { openVault } from '../../src/shared/adapters/aws/cloud.ts';
import { loadConfig } from '../../src/shared/config/config.ts';
import { SecretDeniedError, SecretMissingError } from '../../src/shared/errors.ts';
import { closeAfterEach } from '../helpers/cleanup.ts';
import { arn, isAllowed, type PolicyStatement, substitute } from '../helpers/iam.ts';
import { proxyAws } from '../helpers/rights/aws.ts';
import { RightsBook } from '../helpers/rights/calls.ts';
import { setEnvironment } from '../helpers/sites.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const closing = closeAfterEach();

type Load = (context: { resolveVariable: (name: string) => Promise<string> }) => Promise<{
  statement: PolicyStatement;
}>;

async function statementOf(prefix: string): Promise<PolicyStatement> {
  const load = createRequire(import.meta.url)('../../infra/aws/secrets.cjs') as Load;
  const { statement } = await load({ resolveVariable: () => Promise.resolve(prefix) });
  const { 'Fn::Sub': resource } = statement.Resource as Record<'Fn::Sub', string>;
  return { ...statement, Resource: substitute(resource) };
}

describe('a function that reads secrets', () => {
  test('reads those of the prefix by its role, and no other', async () => {
    const statement = await statementOf('shop');
    const book = new RightsBook(({ action, resource }) => isAllowed([statement], { action, resource }));
    const emulators = await startEmulators({ services: ['secretsmanager'] });
    closing(() => emulators.close());
    const proxy = await proxyAws(emulators.secretsmanager.endpoint, book);
    closing(() => proxy.close());
    const env = {
      ...emulators.env,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: proxy.endpoint,
      TANDEM_SITE: 'aws-us-east-1',
      TANDEM_REGION: 'us-east-1',
      TANDEM_TABLE: 't',
      TANDEM_OUT_URL: 'q',
      TANDEM_IN_URL: 'q',
      TANDEM_DEAD_URL: 'q',
      TANDEM_TICK_URL: 'q',
      TANDEM_VERIFY_URL: 'q',
      TANDEM_REACT_URL: 'q',
      TANDEM_OBJECTS_QUEUE_URL: 'q',
    };
    closing(setEnvironment(env));
    const read = (prefix: string): Promise<string> =>
      openVault(loadConfig('aws', { ...env, TANDEM_SECRETS_PREFIX: prefix })).read('stripe-key');
    await expect(read('shop')).rejects.toThrow(SecretMissingError);
    await expect(read('accounting')).rejects.toThrow(SecretDeniedError);
  });

  test('may do nothing else with them', async () => {
    const statement = await statementOf('shop');
    const may = (action: string): boolean =>
      isAllowed([statement], {
        action: `secretsmanager:${action}`,
        resource: arn('secretsmanager', 'secret:shop/stripe-key-AbCdEf'),
      });
    const actions = ['GetSecretValue', 'PutSecretValue', 'DeleteSecret', 'ListSecrets', 'DescribeSecret'];
    expect(actions.filter(may)).toEqual(['GetSecretValue']);
  });

  test('stays within the boundary of all functions', () => {
    const text = fs.readFileSync(path.join(ROOT, 'infra/aws/github-oidc.yml'), 'utf8');
    const { Resources } = parse(text, { logLevel: 'silent' }) as {
      Resources: {
        FunctionBoundary: { Properties: { PolicyDocument: { Statement: readonly PolicyStatement[] } } };
      };
    };
    const boundary = Resources.FunctionBoundary.Properties.PolicyDocument.Statement;
    const secrets = boundary.filter(({ Sid }) => Sid === 'Secrets');
    expect(secrets).toMatchObject([
      {
        Action: 'secretsmanager:GetSecretValue',
        Resource: 'arn:${AWS::Partition}:secretsmanager:*:${AWS::AccountId}:secret:${Service}/*',
      },
    ]);
  });
});
