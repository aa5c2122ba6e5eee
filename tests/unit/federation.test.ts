/** What is text until a deployment: the trust policy of AWS, the names that the Azure part takes from the site's. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

const INFRA = path.join(import.meta.dirname, '../../infra');
const TENANT = '11111111-1111-1111-1111-111111111111';
const APP = '33333333-3333-3333-3333-333333333333';

describe('the trust between the clouds', () => {
  test('AWS believes one tenant, about one audience, who the apps are that may send', () => {
    const params: Record<string, string> = {
      azureTenantId: TENANT,
      azureAudience: 'api://tandem-peers',
      azurePrincipalIds: JSON.stringify([APP]),
      azureProviderArn: '',
    };
    const text = fs
      .readFileSync(path.join(INFRA, 'aws/federation.yml'), 'utf8')
      .replaceAll(/\$\{param:(\w+)\}/g, (_, name: string) => params[name] ?? `no ${name}`);
    const { Resources } = parse(text) as {
      Resources: { PeerSender: { Properties: { AssumeRolePolicyDocument: { 'Fn::Sub': [string] } } } };
    };
    const [policy] = Resources.PeerSender.Properties.AssumeRolePolicyDocument['Fn::Sub'];
    expect(JSON.parse(policy)).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Federated: '${Provider}' },
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
