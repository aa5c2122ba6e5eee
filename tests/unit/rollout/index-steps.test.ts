import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type DeployedTable,
  deployInSteps,
  type Template,
  TEMPLATE_FILE,
  templatesInSteps,
} from '../../../infra/rollout/index-steps.ts';
import { tableDefinition } from '../../helpers/sites.ts';

type Index = NonNullable<DeployedTable['indexes']>[number];

/** The definition's own table. */
const properties = tableDefinition();
const template = {
  Resources: {
    Role: { Type: 'AWS::IAM::Role', Properties: {} },
    Table: { Type: 'AWS::DynamoDB::Table', Properties: properties },
  },
} as Template;
const ALL = (properties.GlobalSecondaryIndexes ?? []).map(({ IndexName }) => IndexName);

const propertiesOf = (step: Template): typeof properties =>
  step.Resources['Table']?.Properties as typeof properties;
const indexesOf = (step: Template): unknown[] =>
  (propertiesOf(step).GlobalSecondaryIndexes ?? []).map(({ IndexName }) => IndexName);

/** A table with some indexes of the definition, as DynamoDB describes it. */
function tableWith(...names: readonly string[]): DeployedTable {
  const indexes = (properties.GlobalSecondaryIndexes ?? []).filter(({ IndexName = '' }) =>
    names.includes(IndexName),
  );
  return {
    indexes: indexes.map((index) => ({ ...index, IndexStatus: 'ACTIVE', ItemCount: 7 })),
    attributes: properties.AttributeDefinitions ?? [],
  };
}

describe('indexes of a table that is there', () => {
  test('a new table is created with all of them, and one that has all is updated at once', () => {
    expect(templatesInSteps(template, undefined)).toEqual([template]);
    expect(templatesInSteps(template, tableWith(...(ALL as string[])))).toEqual([template]);
  });

  test('the table of the release before gets one more with each step, and only attributes of keys', () => {
    const steps = templatesInSteps(template, tableWith('pending', 'by_type'));
    expect(steps.map(indexesOf)).toEqual([3, 4, 5, 6, 7].map((count) => ALL.slice(0, count)));
    expect(
      propertiesOf(steps[0] ?? template).AttributeDefinitions?.map(({ AttributeName }) => AttributeName),
    ).toEqual(['k', 'p_shard', 'p_at', 'd_shard', 'd_at', 'l']);
    expect(steps.at(-1)).toEqual(template);
    expect(steps.every((step) => step.Resources['Role'] === template.Resources['Role'])).toBe(true);
  });

  test('one that was interrupted goes on with what is missing', () => {
    const steps = templatesInSteps(template, tableWith('pending', 'by_type', 'by_x1', 'by_x3'));
    expect(steps.map((step) => indexesOf(step).length)).toEqual([5, 6, 7]);
  });

  test('a release before keeps the indexes that it does not know', () => {
    const before = templatesInSteps(template, tableWith('pending', 'by_type'))[0] ?? template;
    const [only, ...more] = templatesInSteps(before, tableWith(...(ALL as string[])));
    expect(more).toEqual([]);
    expect(indexesOf(only ?? before).toSorted()).toEqual(ALL.toSorted());
    expect(propertiesOf(only ?? before).AttributeDefinitions).toHaveLength(14);
    const [kept] = (propertiesOf(only ?? before).GlobalSecondaryIndexes ?? []).slice(-1) as Index[];
    expect(kept).not.toHaveProperty('ItemCount');
  });
});

describe('deploying in steps', () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-steps-'));
    fs.mkdirSync(path.join(folder, 'aws'));
    fs.writeFileSync(path.join(folder, 'aws', TEMPLATE_FILE), JSON.stringify(template));
    fs.writeFileSync(path.join(folder, 'aws', 'users.zip'), 'zip');
  });
  afterEach(() => {
    fs.rmSync(folder, { recursive: true, force: true });
  });

  test('waits until each index is made before the next, and leaves the release as it was', async () => {
    let table = tableWith('pending', 'by_type');
    const happened: string[] = [];
    await deployInSteps({
      artefact: path.join(folder, 'aws'),
      table: (name) => {
        expect(name).toBe('tandem');
        return Promise.resolve(table);
      },
      deploy: (place) => {
        const step = JSON.parse(fs.readFileSync(path.join(place, TEMPLATE_FILE), 'utf8')) as Template;
        expect(fs.readFileSync(path.join(place, 'users.zip'), 'utf8')).toBe('zip');
        const names = indexesOf(step) as string[];
        expect(table.indexes.every(({ IndexStatus }) => IndexStatus === 'ACTIVE')).toBe(true);
        expect(names.length - table.indexes.length).toBe(1);
        table = tableWith(...names);
        table = { ...table, indexes: table.indexes.map((index) => ({ ...index, IndexStatus: 'CREATING' })) };
        happened.push(`deploy ${names.length}`);
        return Promise.resolve();
      },
      report: () => undefined,
      pause: () => {
        happened.push('wait');
        table = tableWith(...table.indexes.map(({ IndexName = '' }) => IndexName));
        return Promise.resolve();
      },
    });
    expect(happened).toEqual([3, 4, 5, 6, 7].flatMap((count) => [`deploy ${count}`, 'wait']));
    expect(fs.readdirSync(folder)).toEqual(['aws']);
  });

  test('a table whose indexes are never made ends the step', async () => {
    const making = tableWith('pending', 'by_type').indexes.map((index) => ({
      ...index,
      IndexStatus: 'CREATING' as const,
    }));
    const deploy = deployInSteps({
      artefact: path.join(folder, 'aws'),
      table: () => Promise.resolve({ indexes: making, attributes: [] }),
      deploy: () => Promise.reject(new Error('too early')),
      report: () => undefined,
      pause: () => Promise.resolve(),
    });
    await expect(deploy).rejects.toThrow('still being made');
  });
});
