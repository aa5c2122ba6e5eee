/**
 * Counts requests and their charge. The units are an estimate (`charges.ts`), the number of operations is exact: each
 * operation of a bulk request or a batch counts as what it is, and the request that carried it as `Bulk` or `Batch`.
 */
import type { Budget } from '../core/budget.ts';
import type { UsageMeter } from '../core/usage.ts';
import type { BatchItemResult } from './batch.ts';
import { REFUSED_CHARGE } from './charges.ts';
import { CosmosError, tooManyRequests } from './errors.ts';
import type { Call, Response } from './http-types.ts';
import { operationOf } from './item-routes.ts';

/** Carries out a request on items and counts it. @throws what the effect throws. */
export function metered(
  call: Call,
  container: string,
  { usage, budget }: { usage: UsageMeter; budget: Budget },
  effect: () => Response,
): Response {
  const operation = operationOf(call);
  // Bulk is admitted operation by operation; the plan of a query is no request of the container's.
  const isAdmittedWhole = operation !== 'Bulk' && operation !== 'QueryPlan';
  let response: Response;
  try {
    if (isAdmittedWhole && !budget.admit()) throw tooManyRequests(budget.retryAfterMs);
    response = effect();
  } catch (error) {
    if (error instanceof CosmosError) {
      if (isAdmittedWhole && error.status !== 429) budget.charge(REFUSED_CHARGE);
      usage.add(container, operation, {
        requests: 1,
        operations: 1,
        refused: 1,
        requestUnits: REFUSED_CHARGE,
      });
    }
    throw error;
  }
  if (isAdmittedWhole) budget.charge(Number(response.headers?.['x-ms-request-charge'] ?? REFUSED_CHARGE));
  if (operation === 'Bulk' || operation === 'Batch') {
    usage.add(container, operation, { requests: 1 });
    countParts(call.body, response.body as readonly BatchItemResult[], container, usage);
  } else {
    const requestUnits = Number(response.headers?.['x-ms-request-charge'] ?? REFUSED_CHARGE);
    usage.add(container, operation, { requests: 1, operations: 1, requestUnits });
  }
  return response;
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
