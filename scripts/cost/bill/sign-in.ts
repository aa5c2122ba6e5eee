/** Who asks for the bills: whoever the vendors' own tools would take, in their order. */
import { STSClient } from '@aws-sdk/client-sts';
import { DefaultAzureCredential } from '@azure/identity';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import type { AwsSignIn } from './cost-explorer.ts';
import type { AzureSignIn } from './cost-management.ts';

const COST_EXPLORER = 'https://ce.us-east-1.amazonaws.com';
const RESOURCE_MANAGER = 'https://management.azure.com';

/** `AWS_ENDPOINT_URL_COST_EXPLORER` is what AWS's own tools read too. */
export function awsSignIn(env = process.env): AwsSignIn {
  const { credentials } = new STSClient({ region: 'us-east-1' }).config;
  return {
    endpoint: new URL(env['AWS_ENDPOINT_URL_COST_EXPLORER'] ?? COST_EXPLORER),
    credentials: () =>
      credentials().catch((cause: unknown) => {
        throw new CommandError(
          '--ask aws: there are no credentials: `aws sso login`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of somebody who has ce:GetCostAndUsage',
          { cause },
        );
      }),
  };
}

/** @throws CommandError */
export function azureSignIn(env = process.env): AzureSignIn {
  const subscription = env['AZURE_SUBSCRIPTION_ID'] ?? '';
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(subscription))
    throw new CommandError(
      `--ask azure: AZURE_SUBSCRIPTION_ID is the id of a subscription, not '${subscription}'`,
    );
  const credential = new DefaultAzureCredential();
  return {
    endpoint: new URL(RESOURCE_MANAGER),
    scope: `/subscriptions/${subscription}`,
    token: async () => {
      try {
        return (await credential.getToken(`${RESOURCE_MANAGER}/.default`)).token;
      } catch (cause) {
        throw new CommandError(
          '--ask azure: there are no credentials: `az login`, or what else @azure/identity finds, of somebody who may read costs (Cost Management Reader)',
          { cause },
        );
      }
    },
  };
}
