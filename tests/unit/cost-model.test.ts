import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { usdOf } from '../../scripts/bench/cost/tally.ts';
import { readInventory } from '../../scripts/cost/inventory.ts';
import { BEATS, estimate, type Line, type Load } from '../../scripts/cost/model.ts';
import { PRICES } from '../../scripts/cost/prices.ts';
import { readUsage } from '../../scripts/cost/usage.ts';

const IDLE: Load = { requests: 0, writes: 0, awsPercent: 50, newPercent: 50, storedGb: 0 };
const BUSY: Load = { requests: 5e6, writes: 1e6, awsPercent: 50, newPercent: 50, storedGb: 10 };
/** The bar: both clouds, every flag off, no entity that has reactions, after the allowances that do not expire. */
const IDLE_USD_MAX = 5;
/** More of it, where an entity has reactions, as the shop's have. */
const LOOKS_USD_MAX = 0.5;

const costOf = (load: Load): Line[] => estimate(load, readUsage(), readInventory());
const total = (lines: readonly Line[], column: 'usdList' | 'usdAfterFree'): number =>
  lines.reduce((sum, line) => sum + line[column], 0);
const units = (load: Load, price: Line['price']): number =>
  costOf(load).find((line) => line.price === price)?.units ?? 0;

describe('the estimate of a month', () => {
  test('stays below the bar for two clouds at rest', () => {
    const { aws, azure } = readUsage();
    const looks = (BEATS / 1e6) * (usdOf(aws.looks) + usdOf(azure.looks));
    expect(total(costOf(IDLE), 'usdAfterFree') - looks).toBeLessThan(IDLE_USD_MAX);
    expect(looks).toBeLessThan(LOOKS_USD_MAX);
  });

  test('takes both logs once more into the workspace with centralLogs, and that of AWS on its way there', () => {
    const [without, having] = [BUSY, { ...BUSY, centralLogs: true }];
    const more = (price: Line['price']): number => units(having, price) - units(without, price);
    expect(more('azureLogs')).toBeCloseTo(units(without, 'azureLogs') + units(without, 'cloudWatchLogs'));
    expect(more('awsEgress')).toBeCloseTo(units(without, 'cloudWatchLogs'));
    expect(more('lambdaSecond')).toBe(0);
  });

  test('never charges more after an allowance than without it, and never less than nothing', () => {
    for (const { usdList, usdAfterFree } of costOf(BUSY)) {
      expect(usdAfterFree).toBeLessThanOrEqual(usdList);
      expect(usdAfterFree).toBeGreaterThanOrEqual(0);
    }
  });

  test('charges an allowance only beyond its units', () => {
    const free = PRICES.sqsRequest.free;
    const line = costOf(BUSY).find(({ price }) => price === 'sqsRequest');
    expect(line?.usdAfterFree).toBeCloseTo((((line?.units ?? 0) - free) / 1e6) * PRICES.sqsRequest.usd);
  });

  test('moves requests to the cloud that takes them, while writes cost both', () => {
    const all = (awsPercent: number): Load => ({ ...BUSY, awsPercent });
    expect([units(all(100), 'httpApiRequest'), units(all(0), 'httpApiRequest')]).toEqual([5e6, 0]);
    expect(units(all(100), 'cosmosRequestUnit')).toBeGreaterThan(units(IDLE, 'cosmosRequestUnit') + 5e6);
    expect(units(all(0), 'dynamoDbWrite')).toBeGreaterThanOrEqual(units(IDLE, 'dynamoDbWrite') + 1e6);
  });

  test('charges an Azure instance no more than the whole month before a second one is needed', () => {
    const before = { ...BUSY, requests: 2e7, writes: 0, awsPercent: 0 };
    const [seconds, idle] = [units(before, 'functionsSecond'), units(IDLE, 'functionsSecond')];
    const wholeMonth = 730 * 3_600 * readInventory().azure.memoryGb;
    expect(seconds - idle).toBeGreaterThan(wholeMonth * 0.99);
    expect(seconds - idle).toBeLessThanOrEqual(wholeMonth);
  });
});

test('docs/cost.md has what was counted of index entries and reactions', () => {
  const page = fs.readFileSync(path.join(import.meta.dirname, '../../docs/cost.md'), 'utf8');
  const { aws, azure } = readUsage();
  const rows = {
    'an index entry, made or removed': [aws.index.made, azure.index.made],
    'an index entry, moved': [aws.index.moved, azure.index.moved],
    'a reaction, begun': [aws.reaction.begun, azure.reaction.begun],
    'a reaction, run': [aws.reaction.run, azure.reaction.run],
  } as const;
  expect(aws.index.removed).toEqual(aws.index.made);
  for (const [name, [atAws, atAzure]] of Object.entries(rows)) {
    const [, ...cells] =
      page
        .split('\n')
        .find((line) => line.startsWith(`| ${name} `))
        ?.split('|') ?? [];
    const [, awsUnits, awsUsd, azureUnits, azureUsd] = cells.map((cell) => cell.trim());
    expect(awsUnits).toMatch(new RegExp(`^${atAws.dynamoDbWriteUnits} write unit`));
    if (atAws.sqsRequests > 0) expect(awsUnits).toContain(`${atAws.sqsRequests} SQS request`);
    if (atAzure.cosmosRequestUnits > 0) expect(azureUnits).toContain(`${atAzure.cosmosRequestUnits} RU`);
    expect([name, Number(awsUsd)]).toEqual([name, Number(usdOf(atAws).toFixed(2))]);
    expect([name, Number(azureUsd)]).toEqual([name, Number(usdOf(atAzure).toFixed(2))]);
  }
});
