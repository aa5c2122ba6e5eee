/** What a workload's functions write, seen from outside. */
import type { Json } from '@tandem-clouds/replication/json';
import type { PutResult, Versioned } from '@tandem-clouds/replication/ports/store';
import { isLive, type StoredRecord } from '@tandem-clouds/replication/record';
import { isOwnReport } from '../history/facts.ts';
import type { Operation } from './invocation.ts';
import type { SimProtocol } from './invoke.ts';

/**
 * Notes, from outside, what each local write is based on and what it sets.
 * @param createdAtMs By the site's clock, if the write creates what is not there.
 */
export function* observed<Result>(
  protocol: SimProtocol<Result>,
  operation: Operation,
  createdAtMs?: number,
): SimProtocol<Result> {
  const read = new Map<string, StoredRecord | undefined>();
  let step = protocol.next();
  while (step.done !== true) {
    const effect = step.value;
    const record = effect.op === 'putMany' ? effect.writes[0]?.record : undefined;
    // What a site notes of its own is no write of the record, nor is what it reports.
    const isOwnPart = record !== undefined && read.get(record.key)?.state === record.state;
    if (isOwnPart || (record !== undefined && isOwnReport(record.key))) operation.decided = undefined;
    else if (record !== undefined) {
      const basis = read.get(record.key);
      const isThere = basis !== undefined && isLive(basis.state, createdAtMs ?? 0);
      const creates = createdAtMs !== undefined && !isThere;
      operation.decided = { basis, creates, fields: written(record) };
    }
    let response: unknown;
    try {
      response = yield effect.op === 'all'
        ? { op: 'all', protocols: effect.protocols.map((each) => observed(each, operation, createdAtMs)) }
        : effect;
    } catch (error) {
      step = protocol.throw(error);
      continue;
    }
    if (effect.op === 'get') read.set(effect.key, (response as Versioned | undefined)?.record);
    const [result] = effect.op === 'putMany' ? (response as readonly PutResult[]) : [];
    if (record !== undefined && result?.status === 'stale') read.set(record.key, result.current?.record);
    // Who is answered with the revision knows what is there.
    if (record !== undefined && result?.status === 'written') read.set(record.key, record);
    step = protocol.next(response);
  }
  return step.value;
}

function written({ state, version }: StoredRecord): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(state.fields)
      .filter(([, [stamp]]) => stamp === version)
      .map(([field, [, value]]) => [field, value]),
  );
}
