/** docs/deploy.md and docs/security.md against the definitions: parameters, outputs, peers, rights, files. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { composeTemplate } from '../../infra/azure/template/compose-template.ts';
import { loadConfig } from '../../src/shared/config/config.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), 'utf8');
const deploy = read('docs/deploy.md');
const security = read('docs/security.md');
const all = (text: string, pattern: RegExp): string[] => [
  ...new Set(Array.from(text.matchAll(pattern), ([, found = '']) => found)),
];

describe('how a site is deployed', () => {
  test('names parameters that a definition has', () => {
    const known = ['aws', 'azure'].flatMap((cloud) => {
      const { params, custom } = parse(read(`serverless.${cloud}.yml`)) as {
        params: { default: object };
        custom: { features: object };
      };
      return [
        ...Object.keys(params.default),
        ...Object.keys(custom.features).map((name) => `features.${name}`),
      ];
    });
    const used = all(deploy, /--param "?([\w.]+)=/g);
    expect(used).toEqual(expect.arrayContaining(['peers', 'federation', 'awsSubjects', 'features.cdn']));
    expect(used.filter((name) => !known.includes(name))).toEqual([]);
  });

  test('asks for outputs that the stacks have', () => {
    const ofAzure = Object.keys(composeTemplate(path.join(ROOT, 'infra/azure/site.json')).outputs);
    const requested = all(deploy, /\$\(out (\w+)\)/g);
    expect(requested).toEqual(expect.arrayContaining(['url', 'principalId', 'peerSenderClientId']));
    expect(requested.filter((name) => !ofAzure.includes(name))).toEqual([]);

    const folder = path.join(ROOT, 'infra/aws');
    // Those of the features as well: objects are on.
    const files = fs
      .readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.yml'));
    const texts = files.map((file) => fs.readFileSync(path.join(folder, file), 'utf8')).join('\n');
    // The one that the packager adds.
    const missing = all(deploy, /\$\(output (\w+)\)/g).filter((name) => !texts.includes(`  ${name}:`));
    expect(missing).toEqual(['HttpApiUrl']);
  });

  test('tells each site of a peer that it takes', () => {
    const uuid = '11111111-1111-1111-1111-111111111111';
    const values: Record<string, string> = {
      AWS_URL: 'https://a.example',
      AZURE_URL: 'https://z.example',
      IN: 'https://sqs.us-east-1.amazonaws.com/123456789012/tandem-in',
      VERIFY: 'https://sqs.us-east-1.amazonaws.com/123456789012/tandem-verify',
      ROLE: 'arn:aws:iam::123456789012:role/tandem-PeerSender',
      BUS: 'acme.servicebus.windows.net',
      TENANT: uuid,
      CLIENT: uuid,
      OBJECTS: 'https://objectsabc.blob.core.windows.net',
      BUCKET: 'tandem-objects-123456789012-us-east-1',
    };
    const inShell = (text: string): string =>
      text.replaceAll('\\"', '"').replaceAll(/\$(\w+)/g, (_, name: string) => values[name] ?? `no ${name}`);
    const peer = inShell(/^PEER="(.*)"$/m.exec(deploy)?.[1] ?? '');
    const lists = all(deploy, /--param "peers=(\[.*\])"/g).map((list) =>
      inShell(list.replace('$PEER', () => peer)),
    );
    const clouds = lists.map((list) => {
      const cloud = list.includes('"aws"') ? 'azure' : 'aws';
      const { peers } = loadConfig(cloud, environmentOf(cloud, list));
      return [cloud, peers[0]?.cloud];
    });
    expect(clouds).toEqual([
      ['aws', 'azure'],
      ['azure', 'aws'],
      ['aws', 'azure'],
    ]);
  });
});

function environmentOf(cloud: 'aws' | 'azure', peers: string): Record<string, string> {
  const common = { TANDEM_SITE: `${cloud}-here`, TANDEM_REGION: 'here', TANDEM_PEERS: peers };
  if (cloud === 'azure') {
    return {
      ...common,
      COSMOS_ENDPOINT: 'https://c.example',
      COSMOS_DATABASE: 'd',
      COSMOS_CONTAINER: 'c',
      SERVICE_BUS_NAMESPACE: 'n',
      SERVICE_BUS_ID: '/subscriptions/s/resourceGroups/g/providers/Microsoft.ServiceBus/namespaces/x',
    };
  }
  const queues = ['OUT', 'IN', 'DEAD', 'TICK', 'VERIFY', 'REACT', 'OBJECTS_QUEUE'].map((name) => [
    `TANDEM_${name}_URL`,
    'https://q.example',
  ]);
  return { ...common, TANDEM_TABLE: 't', ...(Object.fromEntries(queues) as Record<string, string>) };
}

describe('the document of security', () => {
  test('gives each function of AWS the rights of its role, and no other', () => {
    const { Resources } = parse(read('infra/aws/roles.yml'), { merge: true }) as {
      Resources: Record<
        string,
        { Properties: { Policies: { PolicyDocument: { Statement: (string | { Action: string[] })[] } }[] } }
      >;
    };
    for (const [id, { Properties }] of Object.entries(Resources)) {
      const name = id.charAt(0).toLowerCase() + id.slice(1).replace(/Role$/, '');
      const row = new RegExp(`^\\| \`${name}\` +\\|(.*)\\|$`, 'm').exec(security)?.[1] ?? 'no row';
      const actions = Properties.Policies.flatMap(({ PolicyDocument }) =>
        PolicyDocument.Statement.flatMap((statement) =>
          // A file that the packager reads in: of infra/aws/secrets.cjs there is one right.
          typeof statement === 'string' ? 'secretsmanager:GetSecretValue' : statement.Action,
        ),
      ).filter((action) => !action.startsWith('logs:'));
      expect([id, all(row, /`(\w+:\w+)`/g).sort()]).toEqual([id, [...new Set(actions)].sort()]);
    }
  });

  test('names files and tests that are there', () => {
    const files = all(security, /`((?:src|tests|infra|dns|scripts)\/[^`]+)`/g);
    expect(files.length).toBeGreaterThan(20);
    expect(files.filter((file) => !fs.existsSync(path.join(ROOT, file)))).toEqual([]);
  });
});
