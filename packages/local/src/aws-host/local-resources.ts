/**
 * Tables and queues of a site at its emulators.
 *
 * Invariant: what has been made for a plan is not asked for again while the plan is the same.
 */
import { isDeepStrictEqual } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { clientOptions } from './client-options.ts';
import { ensureQueues } from './local-queues.ts';
import { ensureTables } from './local-tables.ts';
import type { LocalResource, ResourcePlan } from './resource-plan.ts';

type Created = ReadonlyMap<string, LocalResource>;

export class LocalResources {
  readonly #signal: AbortSignal;
  #last: { readonly plan: ResourcePlan; readonly created: Created } | undefined;

  /** @param signal Ends the waiting for emulators. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Makes what is not there yet. @returns What references of the definition mean. */
  async ensure(plan: ResourcePlan): Promise<Created> {
    if (this.#last !== undefined && isDeepStrictEqual(plan, this.#last.plan)) return this.#last.created;
    const parts = await Promise.all([
      ensureQueues(new SQSClient(clientOptions(plan.region)), plan, this.#signal),
      ensureTables(new DynamoDBClient(clientOptions(plan.region)), plan, this.#signal),
    ]);
    const created = new Map(parts.flatMap((part) => [...part]));
    this.#last = { plan, created };
    return created;
  }
}
