/** `tandem evidence`: nothing that keeps data is left out, and what could not be collected is said. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { unzip } from '@tandem-clouds/local/zip';
import { evidence, type EvidenceInput } from '../../scripts/evidence.ts';
import { factsAbout, PROPERTIES } from '../../scripts/evidence/properties.ts';
import { awsResources, azureResources } from '../../scripts/evidence/resources.ts';

const AWS_FLAGS = ['cdn', 'waf', 'network', 'identityProvider', 'tracing', 'customDomain', 'alarmKey'];
const BOTH_FLAGS = ['monitor', 'objects', 'storefront'];
const PARAMS = [
  ...[...AWS_FLAGS, ...BOTH_FLAGS].map((flag) => `features.${flag}=true`),
  ...['domain=api.example.com', 'hostedZoneId=Z123'],
];
const AZURE_PARAMS = ['cdn', 'waf', 'network', 'audit', 'customDomain', ...BOTH_FLAGS].map(
  (flag) => `features.${flag}=true`,
);
/** They keep nothing, and let nobody in by themselves: connections, names, timers, pictures of what others do. */
const NEUTRAL = new RegExp(
  [
    '^AWS::(?:IAM|CloudWatch|Lambda|Events|Scheduler|Route53|CertificateManager)::',
    '^AWS::(?:ApiGatewayV2::(?:ApiMapping|DomainName)|Cognito::UserPool\\w+|KMS::Alias|WAFv2::WebACLAssociation)$',
    '^AWS::CloudFront::(?:CachePolicy|OriginRequestPolicy|ResponseHeadersPolicy|OriginAccessControl|Function)$',
    '^AWS::EC2::(?:VPC|Subnet|RouteTable|Route|SubnetRouteTableAssociation|InternetGateway|VPCGatewayAttachment|EIP|NatGateway)$',
    '^Microsoft\\.Authorization/',
    '^Microsoft\\.DocumentDB/databaseAccounts/sql(?:Role\\w+|Databases)$',
    '^Microsoft\\.Insights/(?:actionGroups|scheduledQueryRules|metricAlerts|diagnosticSettings|workbooks)$',
    '^Microsoft\\.Cdn/profiles(?:/afdEndpoints|/originGroups|/originGroups/origins|/securityPolicies|/ruleSets|/ruleSets/rules)?$',
    '^Microsoft\\.Network/(?:virtualNetworks|privateDnsZones|privateEndpoints|natGateways|publicIPAddresses)',
    '^Microsoft\\.EventGrid/',
    '^Microsoft\\.Web/serverfarms$',
  ].join('|'),
);

const quiet = { out: () => undefined, err: () => undefined };

let dir: string;
beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'evidence-'));
});
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

async function collected(
  more: Partial<EvidenceInput>,
): Promise<{ status: number; files: Map<string, Buffer>; said: { missing: string[] } }> {
  const out = path.join(dir, 'evidence.zip');
  const lines: string[] = [];
  const status = await evidence(
    {
      ...{ out, param: [], reports: [], site: [], region: 'us-east-1', location: 'eastus', json: true },
      ...more,
    },
    { ...quiet, out: (text: string) => void lines.push(text) } as unknown as Parameters<typeof evidence>[1],
  );
  return { status, files: unzip(out), said: JSON.parse(lines.join('')) as { missing: string[] } };
}

describe('what a definition makes', () => {
  test('is known, type by type, with every feature on', async () => {
    const resources = [
      ...(await awsResources('us-east-1', PARAMS)),
      ...azureResources('eastus', AZURE_PARAMS),
    ];
    const types = new Set(resources.map(({ type }) => type));
    const unknown = [...types].filter((type) => !(type in PROPERTIES) && !NEUTRAL.test(type));
    expect(unknown).toEqual([]);
  });

  test('says of every store, queue and bucket of AWS that it is encrypted', async () => {
    const facts = factsAbout('encryption', await awsResources('us-east-1', PARAMS));
    const kept = facts.filter(({ type }) => /Table|Queue$|Bucket$/.test(type));
    expect(kept.length).toBeGreaterThanOrEqual(9);
    expect(kept.filter(({ value }) => value === null || value === false)).toEqual([]);
  });

  test('says of every account and namespace of Azure which TLS it wants, and that keys do not open it', () => {
    const resources = azureResources('eastus', AZURE_PARAMS);
    const tls = factsAbout('encryption', resources).filter(({ property }) =>
      /minim(?:um|al)Tls/i.test(property),
    );
    expect(tls.length).toBeGreaterThanOrEqual(4);
    for (const { value } of tls) expect(value).toMatch(/^(?:Tls|TLS)?1[._]?[23]$/);
    const keys = factsAbout('access', resources).filter(({ property }) =>
      /LocalAuth$|SharedKey/.test(property),
    );
    for (const { property, value } of keys) expect(value).toBe(property.startsWith('allow') ? false : true);
  });
});

describe('the archive', () => {
  test('has an index, what both clouds make, the dependencies, and sums that a tool checks', async () => {
    const reports = path.join(dir, 'drills');
    fs.mkdirSync(reports);
    fs.writeFileSync(path.join(reports, 'aws-lost.md'), '# passed');
    const { status, files } = await collected({ reports: [reports] });
    expect(status).toBe(0);
    expect(files.get('reports/drills/aws-lost.md')?.toString()).toBe('# passed');
    // As `sha256sum --check` reads it.
    const sums = files.get('SHA256SUMS')?.toString() ?? '';
    const summed = [...sums.matchAll(/^([0-9a-f]{64}) {2}(.+)$/gm)];
    expect(summed.map(([, , name]) => name).toSorted()).toEqual(
      [...files.keys()].filter((name) => name !== 'SHA256SUMS').toSorted(),
    );
    for (const [, sum, name = ''] of summed)
      expect(createHash('sha256').update(files.get(name)!).digest('hex')).toBe(sum);
    for (const name of files.keys())
      if (!['README.md', 'SHA256SUMS'].includes(name))
        expect(files.get('README.md')?.toString()).toContain(`\`${name}\``);
    const sbom = JSON.parse(files.get('sbom.cdx.json')?.toString() ?? '') as {
      bomFormat: string;
      components: { name: string }[];
    };
    expect(sbom.bomFormat).toBe('CycloneDX');
    const names = sbom.components.map(({ name }) => name);
    expect(names).toContain('@azure/cosmos');
    expect(names).not.toContain('jest');
  });

  test('names what it could not collect, and then is no success', async () => {
    const { status, files, said } = await collected({
      ...{ site: ['http://127.0.0.1:1'], param: ['features.objcts=true'] },
    });
    expect(status).toBe(1);
    expect(said.missing).toHaveLength(2);
    expect(said.missing[0]).toMatch(/^the definition of aws: .*did you mean features\.objects\?/);
    expect(said.missing[1]).toMatch(/^the site at http:\/\/127\.0\.0\.1:1: /);
    const index = files.get('README.md')?.toString() ?? '';
    for (const reason of said.missing) expect(index).toContain(reason);
    expect(files.has('azure/rights.json')).toBe(true);
  });

  test('has what a site says of itself, and asks it without a key', async () => {
    const keys: unknown[] = [];
    const site = http.createServer(({ url, headers }, response) => {
      keys.push(headers.authorization);
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ asked: url }));
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    process.env['TANDEM_OPERATOR_KEY'] = 'a-key';
    try {
      const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
      const { files } = await collected({ site: [url] });
      const said = JSON.parse(files.get('sites/1.json')?.toString() ?? '') as Record<string, unknown>;
      expect(said['/replication']).toEqual({ asked: '/replication' });
      expect(keys).toEqual([undefined, undefined, undefined]);
      for (const content of files.values()) expect(content.includes('a-key')).toBe(false);
    } finally {
      delete process.env['TANDEM_OPERATOR_KEY'];
      site.close();
    }
  });

  test('a folder of reports that is none is named', async () => {
    const reports = [path.join(dir, 'nowhere')];
    await expect(collected({ reports })).rejects.toThrow(/--reports: .*nowhere is no folder/);
  });
});
