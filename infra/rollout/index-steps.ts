/**
 * Deploying a template that has other indexes than the table which is there.
 *
 * Invariant: each update of the stack adds one index at most, and none removes one. A release before that does not know of
 * an index keeps it, so rolling back and forth is safe; a new table is created with all of them. CloudFormation does not
 * wait for an index, and takes no other update of the table until it is active, so whoever adds the next one waits.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttributeDefinition,
  DescribeTableCommand,
  DynamoDBClient,
  type GlobalSecondaryIndex,
  type GlobalSecondaryIndexDescription,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import { StepError } from './run-rollout.ts';

/** Of the packager, beside the functions' packages. */
export const TEMPLATE_FILE = 'cloudformation-template-update-stack.json';
const POLL_MS = 10_000;
/** Making an index reads the whole table; a rollout that is begun again goes on where this one stopped. */
const ACTIVE_WITHIN_MS = 2 * 3_600_000;

interface TableProperties {
  readonly TableName: string;
  readonly AttributeDefinitions: readonly AttributeDefinition[];
  readonly KeySchema: NonNullable<GlobalSecondaryIndex['KeySchema']>;
  readonly GlobalSecondaryIndexes: readonly GlobalSecondaryIndex[];
}

export interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: object }>>;
}

/** A table as it is. */
export interface DeployedTable {
  readonly indexes: readonly GlobalSecondaryIndexDescription[];
  readonly attributes: readonly AttributeDefinition[];
}

/** Describes a table by its name; undefined: there is none. */
export type DescribeTable = (name: string) => Promise<DeployedTable | undefined>;

/** The templates to deploy one after the other; the last has every index of `template`. */
export function templatesInSteps(
  template: Template,
  deployed: DeployedTable | undefined,
): readonly Template[] {
  const [id, table] = tableOf(template);
  if (deployed === undefined || table === undefined) return [template];
  const names = new Set(deployed.indexes.map(({ IndexName }) => IndexName));
  const wanted = table.GlobalSecondaryIndexes;
  const missing = wanted.filter(({ IndexName }) => !names.has(IndexName));
  const kept = deployed.indexes.filter(
    (index) => !wanted.some(({ IndexName }) => IndexName === index.IndexName),
  );
  if (missing.length <= 1 && kept.length === 0) return [template];
  const attributes = [...table.AttributeDefinitions, ...deployed.attributes];
  return Array.from({ length: Math.max(1, missing.length) }, (_, step) => {
    const later = new Set(missing.slice(step + 1));
    const indexes = [
      ...wanted.filter((index) => !later.has(index)),
      ...kept.map(({ IndexName, KeySchema, Projection }) => ({ IndexName, KeySchema, Projection })),
    ];
    return withIndexes(template, id, indexes, attributes);
  });
}

/** DynamoDB refuses attributes that are in no key. */
function withIndexes(
  template: Template,
  id: string,
  indexes: readonly GlobalSecondaryIndex[],
  attributes: readonly AttributeDefinition[],
): Template {
  const resource = template.Resources[id];
  const [, table] = tableOf(template);
  const keys = [table?.KeySchema ?? [], ...indexes.map(({ KeySchema = [] }) => KeySchema)].flat();
  const used = new Set(keys.map(({ AttributeName }) => AttributeName));
  const byName = new Map(attributes.map((attribute) => [attribute.AttributeName, attribute]));
  const properties = {
    ...resource?.Properties,
    AttributeDefinitions: [...byName.values()].filter(({ AttributeName }) => used.has(AttributeName)),
    GlobalSecondaryIndexes: indexes,
  };
  const changed = { ...resource, Type: resource?.Type ?? '', Properties: properties };
  return { ...template, Resources: { ...template.Resources, [id]: changed } };
}

function tableOf({ Resources }: Template): readonly [string, TableProperties | undefined] {
  const found = Object.entries(Resources).find(([, { Type }]) => Type === 'AWS::DynamoDB::Table');
  return found === undefined ? ['', undefined] : [found[0], found[1].Properties as TableProperties];
}

export interface StepsOptions {
  /** The folder of the packages. */
  readonly artefact: string;
  readonly table: DescribeTable;
  readonly deploy: (place: string) => Promise<void>;
  readonly report: (line: string) => void;
  readonly pause?: (ms: number) => Promise<unknown>;
}

/** @throws StepError */
export async function deployInSteps(options: StepsOptions): Promise<void> {
  const { artefact, table, deploy, report, pause = sleep } = options;
  const template = JSON.parse(fs.readFileSync(path.join(artefact, TEMPLATE_FILE), 'utf8')) as Template;
  const name = tableOf(template)[1]?.TableName ?? '';
  const steps = templatesInSteps(template, await activeTable(name, table, pause));
  if (steps.length === 1 && steps[0] === template) return deploy(artefact);
  const place = `${artefact}.step`;
  try {
    for (const [i, step] of steps.entries()) {
      report(`  step ${i + 1} of ${steps.length}: the table takes one new index at a time`);
      fs.rmSync(place, { recursive: true, force: true });
      fs.cpSync(artefact, place, { recursive: true });
      fs.writeFileSync(path.join(place, TEMPLATE_FILE), JSON.stringify(step));
      await deploy(place);
      await activeTable(name, table, pause);
    }
  } finally {
    fs.rmSync(place, { recursive: true, force: true });
  }
}

/** The table once all its indexes are made. @throws StepError when that takes too long. */
async function activeTable(
  name: string,
  table: DescribeTable,
  pause: (ms: number) => Promise<unknown>,
): Promise<DeployedTable | undefined> {
  for (let waitedMs = 0; waitedMs <= ACTIVE_WITHIN_MS; waitedMs += POLL_MS) {
    const found = await table(name);
    if (found === undefined || found.indexes.every(({ IndexStatus }) => IndexStatus === 'ACTIVE'))
      return found;
    await pause(POLL_MS);
  }
  throw new StepError(`the indexes of the table ${name} are still being made: begin the rollout again later`);
}

/** Asks DynamoDB in a region. */
export function openTable(region: string): DescribeTable {
  return async (name) => {
    const client = new DynamoDBClient({ region });
    try {
      const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
      return {
        indexes: Table?.GlobalSecondaryIndexes ?? [],
        attributes: Table?.AttributeDefinitions ?? [],
      };
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw new StepError(`the table ${name} cannot be described: ${(error as Error).message}`, {
        cause: error,
      });
    } finally {
      client.destroy();
    }
  };
}
