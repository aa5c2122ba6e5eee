/** docs/network.md against what would be deployed: names that exist, a network that is all told, ports that match. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { composeTemplate } from '../../infra/azure/template/compose-template.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), 'utf8');
const text = read('docs/network.md');
/** Every `name` of the document. */
const names = new Set(Array.from(text.matchAll(/`([^`\n]+)`/g), ([, name = '']) => name));

interface Rule {
  readonly name: string;
  readonly properties: {
    readonly direction: string;
    readonly access: string;
    readonly protocol: string;
    readonly destinationAddressPrefix: string;
    readonly destinationPortRanges?: readonly string[];
  };
}
interface AwsNetwork {
  readonly Resources: Record<string, { readonly Properties?: Record<string, unknown> }>;
}
const aws = (parse(read('infra/aws/features/network.yml')) as { readonly true: AwsNetwork }).true.Resources;
const azure = composeTemplate(path.join(ROOT, 'infra/azure/site.json')).resources;

describe('the document of the networks', () => {
  test('names only what the definitions have', () => {
    const folders = ['infra/aws', 'infra/aws/features', 'infra/azure/parts'];
    const files = folders.flatMap((folder) =>
      fs
        .readdirSync(path.join(ROOT, folder))
        .filter((file) => /\.(yml|json|cjs)$/.test(file))
        .map((file) => `${folder}/${file}`),
    );
    const definitions = [...files, 'serverless.aws.yml', 'serverless.azure.yml'].map(read).join('\n');
    const unknown = [...names]
      // Files and routes are not of the definitions.
      .filter((name) => !name.includes('.md') && !fs.existsSync(path.join(ROOT, name)))
      .filter((name) => !definitions.includes(name));
    expect(unknown).toEqual([]);
  });

  test('leaves out nothing of the networks', () => {
    const types = azure.map(({ type }) => type).filter((type) => type.startsWith('Microsoft.Network/'));
    // The firewall is no part of the network.
    const reported = [...Object.keys(aws), ...types].filter((name) => !name.includes('Firewall'));
    expect(reported.filter((name) => !text.includes(name.split('/').at(-1) ?? name))).toEqual([]);
  });

  test('may say that both clouds let out the same', () => {
    const outOnAws = aws['FunctionSecurityGroup']?.Properties?.['SecurityGroupEgress'] as readonly {
      readonly IpProtocol: string;
      readonly FromPort: number;
      readonly ToPort: number;
    }[];
    const group = azure.find(({ type }) => type === 'Microsoft.Network/networkSecurityGroups');
    const rules = group?.properties?.['securityRules'] as readonly Rule[];
    const [allowed, refused, ...others] = rules
      .map(({ properties }) => properties)
      .filter(({ direction }) => direction === 'Outbound');
    expect(allowed).toMatchObject({
      access: 'Allow',
      protocol: 'Tcp',
      destinationAddressPrefix: 'Internet',
      destinationPortRanges: outOnAws.map(({ FromPort }) => String(FromPort)),
    });
    expect(outOnAws.map(({ IpProtocol, ToPort }) => [IpProtocol, ToPort])).toEqual([
      ['tcp', 443],
      ['tcp', 5671],
    ]);
    expect(refused).toMatchObject({ access: 'Deny', protocol: '*', destinationAddressPrefix: 'Internet' });
    expect(others).toEqual([]);
    expect(rules.map(({ name }) => name).filter((name) => !names.has(name))).toEqual([]);
  });
});
