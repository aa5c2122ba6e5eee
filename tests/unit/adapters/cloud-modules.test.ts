import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import * as aws from '../../../src/shared/adapters/aws/cloud.ts';
import { openObjects as openOnAws } from '../../../src/shared/adapters/aws/open-objects.ts';
import { openSms as openSmsOnAws } from '../../../src/shared/adapters/aws/open-sms.ts';
import * as azure from '../../../src/shared/adapters/azure/cloud.ts';
import { openObjects as openOnAzure } from '../../../src/shared/adapters/azure/open-objects.ts';
import { openSms as openSmsOnAzure } from '../../../src/shared/adapters/azure/open-sms.ts';
import type { Config } from '../../../src/shared/config/config.ts';
import type { Cloud } from '../../../src/shared/ports/cloud.ts';
import type { Objects } from '../../../src/shared/ports/objects.ts';
import type { SmsSender } from '../../../src/shared/ports/sms.ts';

// Compiles only while both modules have the shape that the core imports from "#cloud".
const clouds: readonly Cloud[] = [aws, azure];
// The same of "#objects".
const objects: readonly ((config: Config) => Objects)[] = [openOnAws, openOnAzure];

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
