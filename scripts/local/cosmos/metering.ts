/**
 * Counts requests and their charge. The units are an estimate (`charges.ts`), the number of operations is exact: each
 * operation of a bulk request or a batch counts as what it is, and the request that carried it as `Bulk` or `Batch`.
 */
import type { UsageMeter } from '../usage.ts';
import type { BatchItemResult } from './batch.ts';
import { REFUSED_CHARGE } from './charges.ts';
import { CosmosError } from './errors.ts';
import type { Answer, Call } from './http-types.ts';
import { operationOf } from './item-routes.ts';

/** Carries out a request on items and counts it. @throws what the effect throws. */
export function metered(call: Call, container: string, usage: UsageMeter, effect: () => Answer): Answer {
  const operation = operationOf(call);
  let answer: Answer;
  try {
    answer = effect();
  } catch (error) {
    if (error instanceof CosmosError) {
      usage.add(container, operation, {
        requests: 1,
        operations: 1,
        refused: 1,
        requestUnits: REFUSED_CHARGE,
      });
    }
    throw error;
  }
  if (operation === 'Bulk' || operation === 'Batch') {
    usage.add(container, operation, { requests: 1 });
    countParts(call.body, answer.body as readonly BatchItemResult[], container, usage);
  } else {
    const requestUnits = Number(answer.headers?.['x-ms-request-charge'] ?? REFUSED_CHARGE);
    usage.add(container, operation, { requests: 1, operations: 1, requestUnits });
  }
  return answer;
}

function countParts(
  body: unknown,
  results: readonly BatchItemResult[],
  container: string,
  usage: UsageMeter,
): void {
  const parts = body as readonly { readonly operationType: string }[];
  results.forEach(({ statusCode, requestCharge }, i) => {
    const refused = statusCode >= 400 ? { refused: 1 } : {};
    usage.add(container, parts[i]?.operationType ?? '', {
      operations: 1,
      requestUnits: requestCharge,
      ...refused,
    });
  });
}
