import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { hmac, sha256, signingKey, stringToSign } from '@tandem-clouds/emulators/core/sigv4';
import * as aws from '../../../src/shared/adapters/aws/cloud.ts';
import { openObjects as openOnAws } from '../../../src/shared/adapters/aws/open-objects.ts';
import { openSms as openSmsOnAws } from '../../../src/shared/adapters/aws/open-sms.ts';
import { sqlToken as sqlTokenOnAws } from '../../../src/shared/adapters/aws/open-sql.ts';
import * as azure from '../../../src/shared/adapters/azure/cloud.ts';
import { openObjects as openOnAzure } from '../../../src/shared/adapters/azure/open-objects.ts';
import { openSms as openSmsOnAzure } from '../../../src/shared/adapters/azure/open-sms.ts';
import { sqlToken as sqlTokenOnAzure } from '../../../src/shared/adapters/azure/open-sql.ts';
import type { Config } from '../../../src/shared/config/config.ts';
import type { Cloud } from '../../../src/shared/ports/cloud.ts';
import type { Objects } from '../../../src/shared/ports/objects.ts';
import type { SmsSender } from '../../../src/shared/ports/sms.ts';

// Compiles only while both modules have the shape that the core imports from "#cloud".
const clouds: readonly Cloud[] = [aws, azure];
// The same of "#objects".
const objects: readonly ((config: Config) => Objects)[] = [openOnAws, openOnAzure];

// And of "#sql".
const sqlTokens: readonly ((config: Config, url: string) => Promise<string>)[] = [
  sqlTokenOnAws,
  sqlTokenOnAzure,
];

// And of "#sms".
const sms: readonly ((config: Config) => SmsSender)[] = [openSmsOnAws, openSmsOnAzure];

test('both clouds export the same names', () => {
  const [first, second] = clouds.map((cloud) => Object.keys(cloud).sort());
  expect(first).toEqual(second);
});

test('a site that has no place for objects says which setting is missing', () => {
  const config = { region: 'us-east-1', aws: {}, azure: {} } as unknown as Config;
  const [onAws, onAzure] = objects;
  expect(() => onAws?.(config)).toThrow('TANDEM_OBJECTS_BUCKET');
  expect(() => onAzure?.(config)).toThrow('TANDEM_OBJECTS_URL');
});

test('the token of a database at AWS is a signed request to connect as that user', async () => {
  const [onAws] = sqlTokens;
  const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const;
  const before = names.map((name) => [name, process.env[name]] as const);
  for (const name of names) process.env[name] = name.toLowerCase();
  try {
    const host = 'tandem.cluster-abc.us-east-1.rds.amazonaws.com';
    const token = await onAws?.({ region: 'us-east-1' } as Config, `postgres://tandem@${host}/tandem`);
    const url = new URL(`https://${token}`);
    expect([url.host, url.pathname]).toEqual([`${host}:5432`, '/']);
    const query = Object.fromEntries(url.searchParams);
    expect(query).toMatchObject({
      Action: 'connect',
      DBUser: 'tandem',
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Expires': '900',
      'X-Amz-SignedHeaders': 'host',
      'X-Amz-Security-Token': 'aws_session_token',
    });
    // What RDS computes of it: the signature is over everything else of the query, and an empty body.
    const { 'X-Amz-Signature': signature, ...rest } = query;
    const canonical = [
      ...['GET', '/'],
      Object.entries(rest)
        .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
        .sort()
        .join('&'),
      ...[`host:${host}:5432\n`, 'host', sha256('')],
    ].join('\n');
    const [date = ''] = (rest['X-Amz-Date'] ?? '').split('T');
    const scope = { date, region: 'us-east-1', service: 'rds-db' };
    const toSign = stringToSign(rest['X-Amz-Date'] ?? '', scope, canonical);
    expect(signature).toBe(hmac(signingKey('aws_secret_access_key', scope), toSign).toString('hex'));
  } finally {
    for (const [name, value] of before)
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
  }
});

test('a site that sends no SMS says which settings are missing', () => {
  const config = { region: 'us-east-1', aws: {}, azure: {} } as unknown as Config;
  for (const open of sms) expect(() => open(config)).toThrow('TANDEM_SMS_FROM');
});

test('both adapter folders hold the same files, but for how each stores a record and signs in', () => {
  const files = (cloud: string): string[] =>
    fs
      .readdirSync(path.join(import.meta.dirname, '../../../src/shared/adapters', cloud))
      .filter((file) => !['item.ts', 'document.ts', 'credential.ts'].includes(file))
      .sort();
  expect(files('aws')).toEqual(files('azure'));
});
