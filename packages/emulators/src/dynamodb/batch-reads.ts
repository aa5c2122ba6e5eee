/**
 * BatchGetItem answers in part: what exceeds 16 MB, or 1 MB of one partition (dynalite's bound: a small table is one
 * partition), and what its partition has no capacity left for, is among `UnprocessedKeys`, for the caller to ask for
 * again after a pause. When nothing could be read at all, the request is refused.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
 */
import { readUnits } from './capacity.ts';
import type { DynamoContext } from './context.ts';
import { type Item, type RequestData, run, tableOf, validated } from './dynalite.ts';
import { throttled } from './write-budget.ts';

interface TableRequest {
  readonly Keys: readonly Item[];
  readonly ConsistentRead?: boolean;
}

/** @throws DynamoError `ProvisionedThroughputExceededException` when there is no capacity for a single key. */
export async function batchGetItems(
  { store, readBudget }: DynamoContext,
  input: RequestData,
): Promise<unknown> {
  const output = await run(store, 'BatchGetItem', validated(store, 'BatchGetItem', input));
  if (readBudget.perSecond === undefined) return output;
  const requests = input['RequestItems'] as Readonly<Record<string, TableRequest>>;
  const responses: Record<string, Item[]> = {};
  const unprocessed = { ...(output['UnprocessedKeys'] as Record<string, TableRequest>) };
  let read = 0;
  for (const [table, items] of Object.entries(output['Responses'] as Record<string, Item[]>)) {
    const request = requests[table];
    const names = (await tableOf(store, table)).KeySchema.map(({ AttributeName }) => AttributeName);
    const refused: Item[] = [];
    responses[table] = items.filter((item) => {
      if (!readBudget.admit()) {
        refused.push(Object.fromEntries(names.map((name) => [name, item[name] ?? {}])));
        return false;
      }
      readBudget.charge(readUnits(item, request?.ConsistentRead === true));
      read += 1;
      return true;
    });
    if (refused.length === 0) continue;
    unprocessed[table] = { ...request, Keys: [...(unprocessed[table]?.Keys ?? []), ...refused] };
  }
  if (read === 0 && Object.keys(unprocessed).length > 0) throw throttled();
  return { ...output, Responses: responses, UnprocessedKeys: unprocessed };
}
