/** What the pipeline may do at each cloud: whatever it tries, it does not become an administrator. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { deploy } from '@tandem-clouds/emulators/azure-control-plane/evaluate-template';
import { composeTemplate } from '../../infra/azure/template/compose-template.ts';
import { isAllowed, type PolicyStatement, route53Actions, substitute } from '../helpers/iam.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), 'utf8');
const security = read('docs/security.md');

const IAM = 'arn:aws:iam::123456789012';
const BOUNDARY = `${IAM}:policy/boundary-of-tandem`;
const STACK = 'arn:aws:cloudformation:us-east-1:123456789012:stack/tandem-github/1';
const ZONE = 'arn:aws:route53:::hostedzone/Z1';

interface PolicyDocument {
  readonly PolicyDocument: { readonly Statement: readonly PolicyStatement[] };
}
const { Resources } = parse(read('infra/aws/github-oidc.yml'), { logLevel: 'silent' }) as {
  Resources: {
    DeployRole: { Properties: { Policies: readonly PolicyDocument[] } };
    TrafficPolicy: { Properties: PolicyDocument };
  };
};
const statements = [
  ...Resources.DeployRole.Properties.Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement),
  ...Resources.TrafficPolicy.Properties.PolicyDocument.Statement,
];
const resolve = (value: unknown): string[] => {
  if (value === 'FunctionBoundary') return [BOUNDARY];
  if (value === 'AWS::StackId') return [STACK];
  return [substitute(String(value), { Service: 'tandem', HostedZoneId: 'Z1' })];
};
const may = (action: string, resource: string, context: Record<string, string> = {}): boolean =>
  isAllowed(statements, { action, resource, context }, resolve);

describe('on AWS the pipeline', () => {
  const role = `${IAM}:role/tandem-prod-UsersRole-1`;
  const bounded = { 'iam:PermissionsBoundary': BOUNDARY };
  const ofStack = { 'iam:PolicyARN': `${IAM}:policy/tandem-prod-PeerInboxes-1` };

  test.each<[string, string, string, Record<string, string>]>([
    ['a role with the boundary', 'iam:CreateRole', role, bounded],
    ['what such a role may do', 'iam:PutRolePolicy', role, bounded],
    ['policies of its own at such a role', 'iam:AttachRolePolicy', role, { ...bounded, ...ofStack }],
    ['the boundary at a role that has none yet', 'iam:PutRolePermissionsBoundary', role, bounded],
    ['which function has the role', 'iam:PassRole', role, { 'iam:PassedToService': 'lambda.amazonaws.com' }],
    ['the stack of a site', 'cloudformation:UpdateStack', STACK.replace('github', 'prod'), {}],
  ])('makes %s', (_, action, resource, context) => {
    expect(may(action, resource, context)).toBe(true);
  });

  test.each<[string, string, string, Record<string, string>]>([
    ['make a role without a boundary', 'iam:CreateRole', role, {}],
    [
      'make one with a boundary of its own choice',
      'iam:CreateRole',
      role,
      { 'iam:PermissionsBoundary': 'arn:aws:iam::aws:policy/AdministratorAccess' },
    ],
    ['write a policy into a role without a boundary', 'iam:PutRolePolicy', role, {}],
    [
      'attach a policy of AWS',
      'iam:AttachRolePolicy',
      role,
      { ...bounded, 'iam:PolicyARN': 'arn:aws:iam::aws:policy/AdministratorAccess' },
    ],
    ['attach its own policy to a role without a boundary', 'iam:AttachRolePolicy', role, ofStack],
    ['take the boundary off', 'iam:DeleteRolePermissionsBoundary', role, bounded],
    ['change who may be a role', 'iam:UpdateAssumeRolePolicy', role, bounded],
    ['change the boundary', 'iam:CreatePolicyVersion', BOUNDARY, {}],
    ['choose another version of the boundary', 'iam:SetDefaultPolicyVersion', BOUNDARY, {}],
    ['remove the boundary', 'iam:DeletePolicy', BOUNDARY, {}],
    ['change itself', 'iam:PutRolePolicy', `${IAM}:role/tandem-github-deploy`, bounded],
    [
      'hand itself to a function',
      'iam:PassRole',
      `${IAM}:role/tandem-github-deploy`,
      { 'iam:PassedToService': 'lambda.amazonaws.com' },
    ],
    ['pass a role to a machine', 'iam:PassRole', role, { 'iam:PassedToService': 'ec2.amazonaws.com' }],
    [
      'pass a role to CloudFormation',
      'iam:PassRole',
      role,
      { 'iam:PassedToService': 'cloudformation.amazonaws.com' },
    ],
    ['change the stack that made it', 'cloudformation:UpdateStack', STACK, {}],
    ['touch roles of another purpose', 'iam:PutRolePolicy', `${IAM}:role/accounting`, bounded],
    ['make a user', 'iam:CreateUser', `${IAM}:user/tandem-user`, {}],
    ['make a key', 'iam:CreateAccessKey', `${IAM}:user/tandem-user`, {}],
    ['touch another zone', 'route53:ChangeResourceRecordSets', ZONE.replace('Z1', 'Z2'), {}],
  ])('may not %s', (_, action, resource, context) => {
    expect(may(action, resource, context)).toBe(false);
  });

  test('may ask Route 53 whatever the DNS commands ask', () => {
    const requested = route53Actions();
    expect(requested.length).toBeGreaterThan(5);
    const targets = [ZONE, 'arn:aws:route53:::healthcheck/1', 'arn:aws:route53:::change/1', '*'];
    const missing = requested.filter((action) => !targets.some((target) => may(action, target)));
    expect(missing).toEqual([]);
  });

  test('has in the document one row for each statement of the template, and no other', () => {
    const rows = Array.from(security.matchAll(/^\| _(\w+)_ +\|/gm), ([, sid = '']) => sid);
    expect(rows.sort()).toEqual(statements.map(({ Sid = 'without Sid' }) => Sid).sort());
  });
});

describe('on Azure the pipeline', () => {
  const GUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g;
  const { variables } = JSON.parse(read('infra/azure/github-oidc.json')) as {
    variables: Readonly<Record<string, string>>;
  };
  const allowed = variables['rolesOfSites']?.match(GUID) ?? [];

  test('may assign the roles that a site assigns, and no other', () => {
    const template = composeTemplate(path.join(ROOT, 'infra/azure/site.json'));
    const given = { functionAppName: 'acme', location: 'here', tags: {}, awsIssuer: 'https://i.example' };
    const everything = Object.fromEntries(
      Object.entries(template.parameters).flatMap(([name, { type }]) =>
        type === 'bool' ? [[name, true]] : [],
      ),
    );
    const assigned = deploy(template, {
      ...given,
      ...everything,
      awsSubjects: 'arn:aws:iam::1:role/a',
      centralLogsSubject: 'arn:aws:iam::1:role/b',
      secondRegionApp: 'acme-2',
      secondRegionGroup: 'g2',
      domain: 'api.example.org',
      smsFrom: '+4930123456',
    })
      // Who publishes the shop (`storefrontPublisher`) is given that right by a person, once: it is nobody here.
      .filter(({ type, made }) => made && type === 'Microsoft.Authorization/roleAssignments')
      .flatMap(({ body }) => JSON.stringify(body['properties']).match(GUID) ?? []);
    expect([...allowed].sort()).toEqual([...new Set(assigned)].sort());
  });

  test('may assign and take back by that list, and to identities of applications alone', () => {
    const { condition = '' } = variables;
    expect(condition.match(/ForAnyOfAnyValues:GuidEquals \{0\}/g)).toHaveLength(2);
    expect(condition).toContain(
      "PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {{''ServicePrincipal''}}",
    );
    expect(condition).not.toContain('NotEquals');
  });

  test('has those roles in the document', () => {
    const row = security.split('\n').find((line) => line.includes('rolesOfSites')) ?? '';
    const named = [
      'serviceBusDataOwner',
      'serviceBusDataReceiver',
      'serviceBusDataSender',
      'storageBlobDataOwner',
      'storageBlobDelegator',
    ];
    for (const role of [...named, 'keyVaultSecretsUser', 'monitoringMetricsPublisher'])
      expect(row).toContain(role);
  });
});
