/** A store whose calls are spans. Keys and values of records are in none of them. */
import type { Store } from '@tandem-clouds/replication/ports/store';
import { entityOf } from '@tandem-clouds/replication/record';
import type { Attributes } from '../../ports/tracing.ts';
import type { Tracer } from './tracer.ts';

/** @param system `aws.dynamodb`. @see https://opentelemetry.io/docs/specs/semconv/database/database-spans/ */
export function tracedStore(store: Store, tracer: Tracer, system: string): Store {
  const spanned = <Result>(
    operation: string,
    attributes: Attributes,
    call: () => Promise<Result>,
    failureOf: (result: Result) => unknown = () => undefined,
  ): Promise<Result> =>
    tracer.span(
      {
        name: `${operation} records`,
        kind: 'client',
        attributes: {
          'db.system.name': system,
          'db.operation.name': operation,
          'db.collection.name': 'records',
          ...attributes,
        },
      },
      async (span) => {
        const result = await call();
        const failure = failureOf(result);
        if (failure !== undefined) span?.fail(failure);
        return result;
      },
    );
  return {
    get: (key) => spanned('get', ofEntity(entityOf(key)), () => store.get(key)),
    getMany: (keys) => spanned('getMany', batchOf(keys), () => store.getMany(keys)),
    putMany: (writes) =>
      spanned(
        'putMany',
        batchOf(writes.map(({ record }) => record.key)),
        () => store.putMany(writes),
        // That somebody else was first is no failure: it is what the condition is for.
        (results) => results.find((result) => result.status === 'failed')?.error,
      ),
    clearPending: (requests) =>
      spanned(
        'clearPending',
        batchOf(requests.map(({ key }) => key)),
        () => store.clearPending(requests),
        (results) => results.find((error) => error !== undefined),
      ),
    pending: (...asked) => spanned('pending', {}, () => store.pending(...asked)),
    due: (...asked) => spanned('due', {}, () => store.due(...asked)),
    exposure: (limit) => spanned('exposure', {}, () => store.exposure(limit)),
    list: (entity, options) => spanned('list', ofEntity(entity), () => store.list(entity, options)),
    entries: (query) => spanned('entries', {}, () => store.entries(query)),
    scan: (options) => spanned('scan', {}, () => store.scan(options)),
    scanKeys: (options) => spanned('scanKeys', {}, () => store.scanKeys(options)),
    remove: (key, expected) => spanned('remove', ofEntity(entityOf(key)), () => store.remove(key, expected)),
    ping: () => spanned('ping', {}, () => store.ping()),
  };
}

function ofEntity(entity: string): Attributes {
  return { 'tandem.entity': entity };
}

/** The conventions want no size of a batch of one. */
function batchOf(keys: readonly string[]): Attributes {
  const [first] = keys;
  if (first !== undefined && keys.length === 1) return ofEntity(entityOf(first));
  return { 'db.operation.batch.size': keys.length };
}
