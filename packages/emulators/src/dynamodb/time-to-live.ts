/**
 * Time to live: settings that persist, and a sweep that deletes what has expired.
 *
 * As published: the attribute is a number of epoch seconds; an expired item is still read and queried until the sweep
 * comes by; what expired more than five years ago is left alone. Invariant: the sweep deletes under the condition
 * that the item is still expired, so an update that prolonged its life in the meantime wins.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
 */
import { type Item, type RequestData, run, type Store, tableOf, validated } from './dynalite.ts';
import { codeOf, isRefusal, validationError } from './errors.ts';
import { readSettings, writeSettings } from './table-settings.ts';
import { keyOf, tableNames } from './tables.ts';
import { writeItem } from './writes.ts';

const FIVE_YEARS_SECONDS = 5 * 365 * 24 * 3600;
const PAGE = 200;
const EXPIRED = 'attribute_type(#ttl, :number) AND #ttl <= :now AND #ttl >= :oldest';

type Response = Record<string, unknown>;

export async function updateTimeToLive(store: Store, input: RequestData): Promise<Response> {
  const name = String(input['TableName']);
  const specification = input['TimeToLiveSpecification'] as
    { AttributeName?: string; Enabled?: boolean } | undefined;
  const { AttributeName: attribute, Enabled: isEnabled } = specification ?? {};
  if (!attribute || isEnabled === undefined) {
    throw validationError('TimeToLiveSpecification needs an AttributeName and Enabled');
  }
  await tableOf(store, name, false);
  const { ttlAttribute, ...others } = await readSettings(store, name);
  if (isEnabled === (ttlAttribute !== undefined)) {
    throw validationError(`TimeToLive is already ${isEnabled ? 'enabled' : 'disabled'}`);
  }
  if (!isEnabled && ttlAttribute !== attribute) {
    throw validationError(
      `TimeToLive is active on a different AttributeName: current AttributeName is ${ttlAttribute}`,
    );
  }
  await writeSettings(store, name, { ...others, ...(isEnabled && { ttlAttribute: attribute }) });
  return { TimeToLiveSpecification: { AttributeName: attribute, Enabled: isEnabled } };
}

export async function describeTimeToLive(store: Store, input: RequestData): Promise<Response> {
  const name = String(input['TableName']);
  await tableOf(store, name, false);
  const { ttlAttribute } = await readSettings(store, name);
  return {
    TimeToLiveDescription:
      ttlAttribute === undefined
        ? { TimeToLiveStatus: 'DISABLED' }
        : { TimeToLiveStatus: 'ENABLED', AttributeName: ttlAttribute },
  };
}

/** Deletes what has expired in every table with time to live; returns how many items went. */
export async function sweepExpired(store: Store, now: number): Promise<number> {
  let deleted = 0;
  for (const name of await tableNames(store)) {
    const { ttlAttribute } = await readSettings(store, name);
    if (ttlAttribute !== undefined) deleted += await sweepTable(store, name, ttlAttribute, now);
  }
  return deleted;
}

async function sweepTable(store: Store, name: string, attribute: string, now: number): Promise<number> {
  const seconds = Math.floor(now / 1000);
  const expression = {
    ExpressionAttributeNames: { '#ttl': attribute },
    ExpressionAttributeValues: {
      ':number': { S: 'N' },
      ':now': { N: String(seconds) },
      ':oldest': { N: String(seconds - FIVE_YEARS_SECONDS) },
    },
  };
  const table = await tableOf(store, name, false);
  let deleted = 0;
  let ExclusiveStartKey: unknown;
  do {
    const request = {
      TableName: name,
      FilterExpression: EXPIRED,
      Limit: PAGE,
      ...expression,
      ExclusiveStartKey,
    };
    const page = await run(store, 'Scan', validated(store, 'Scan', structuredClone(request)));
    for (const item of (page['Items'] ?? []) as Item[]) {
      const target = {
        TableName: name,
        Key: keyOf(table, item),
        ConditionExpression: EXPIRED,
        ...expression,
      };
      if (await deleteIfStillExpired(store, structuredClone(target))) deleted += 1;
    }
    ExclusiveStartKey = page['LastEvaluatedKey'];
  } while (ExclusiveStartKey !== undefined);
  return deleted;
}

async function deleteIfStillExpired(store: Store, target: RequestData): Promise<boolean> {
  try {
    await writeItem(store, 'DeleteItem', target);
    return true;
  } catch (error) {
    if (isRefusal(error) && codeOf(error) === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}
