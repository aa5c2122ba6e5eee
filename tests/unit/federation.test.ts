/** What is text until a deployment: the trust policy of AWS, the names that the Azure part takes from the site's. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

const INFRA = path.join(import.meta.dirname, '../../infra');
const TENANT = '11111111-1111-1111-1111-111111111111';
const APP = '33333333-3333-3333-3333-333333333333';

interface Stack {
  readonly Resources?: Record<string, { readonly Type: string; readonly Properties: object }>;
}
interface Role {
  readonly AssumeRolePolicyDocument: { readonly 'Fn::Sub': string };
  readonly Policies: readonly { readonly PolicyDocument: { readonly Statement: readonly object[] } }[];
}

describe('the trust between the clouds', () => {
  test('AWS believes one tenant, about one audience, who the apps are that may send', () => {
    const params: Record<string, string> = {
      azureTenantId: TENANT,
      azureAudience: 'api://tandem-peers',
      azurePrincipalIds: JSON.stringify([APP]),
    };
    const text = fs
      .readFileSync(path.join(INFRA, 'aws/federation.yml'), 'utf8')
      .replaceAll(/\$\{param:(\w+)\}/g, (_, name: string) => params[name] ?? `no ${name}`);
    const { none, azure, 'azure-shared': shared } = parse(text) as Record<string, Stack>;
    expect(none).toEqual({});
    const { AzureProvider, ...rest } = azure?.Resources ?? {};
    expect(AzureProvider).toMatchObject({ Type: 'AWS::IAM::OIDCProvider' });
    expect(shared?.Resources).toEqual(rest);
    const { AssumeRolePolicyDocument, Policies } = rest['PeerSender']?.Properties as unknown as Role;
    expect(Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)).toEqual([
      {
        Effect: 'Allow',
        Action: ['sqs:SendMessage'],
        Resource: [{ 'Fn::GetAtt': ['InQueue', 'Arn'] }, { 'Fn::GetAtt': ['VerifyQueue', 'Arn'] }],
      },
    ]);
    expect(rest['VouchForSenders']?.Properties).toMatchObject({
      // infra/aws/features.cjs, asked of the packaged template (tests/integration/aws-stack.test.ts).
      Roles: '${self:custom.added.senderRoles}',
      PolicyDocument: {
        Statement: [
          {
            Action: ['sts:GetWebIdentityToken'],
            Condition: {
              'ForAllValues:StringEquals': { 'sts:IdentityTokenAudience': 'api://AzureADTokenExchange' },
            },
          },
        ],
      },
    });
    expect(JSON.parse(AssumeRolePolicyDocument['Fn::Sub'])).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: {
            Federated: `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:oidc-provider/sts.windows.net/${TENANT}/`,
          },
          Action: 'sts:AssumeRoleWithWebIdentity',
          Condition: {
            StringEquals: {
              [`sts.windows.net/${TENANT}/:aud`]: 'api://tandem-peers',
              [`sts.windows.net/${TENANT}/:sub`]: [APP],
            },
          },
        },
      ],
    });
  });

  test('the Azure part exists by its parameter only, and its identity may send to the queues of peers', () => {
    const part = JSON.parse(fs.readFileSync(path.join(INFRA, 'azure/parts/federation.json'), 'utf8')) as {
      variables: Record<string, unknown>;
      resources: { type: string; condition: string; properties?: Record<string, unknown> }[];
    };
    for (const { condition } of part.resources) expect(condition).toBe("[variables('federates')]");
    expect(part.variables['peerQueues']).toEqual(['tandem-in', 'tandem-verify']);
    const roles = part.resources.filter(({ type }) => type === 'Microsoft.Authorization/roleAssignments');
    expect(roles.map(({ properties }) => properties?.['roleDefinitionId'])).toEqual([
      "[variables('roles').serviceBusDataSender]",
    ]);
  });
});
