/**
 * What the cloud would bill for: counters of an emulator by table, container or queue, by operation and by unit.
 * `GET /_tandem/usage` answers with all of them, `DELETE` starts from nothing.
 *
 * Invariant: an operation is counted by the party that bills, after its effect, whoever asked for it and whether or
 * not the answer arrives; what a fault rule refuses before any effect is not counted.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

const USAGE_PATH = '/_tandem/usage';

/** Unit → how many. The units are the service's own: `writeUnits`, `requestUnits`, `requests`, `operations`. */
export type Amounts = Readonly<Record<string, number>>;

/** Resource → operation → amounts. */
export type Usage = Readonly<Record<string, Readonly<Record<string, Amounts>>>>;

export class UsageMeter {
  readonly #counts = new Map<string, Map<string, Map<string, number>>>();

  add(resource: string, operation: string, amounts: Amounts): void {
    const operations = entry(this.#counts, resource, () => new Map<string, Map<string, number>>());
    const units = entry(operations, operation, () => new Map<string, number>());
    for (const [unit, amount] of Object.entries(amounts)) units.set(unit, (units.get(unit) ?? 0) + amount);
  }

  read(): Usage {
    return Object.fromEntries(
      [...this.#counts].map(([resource, operations]) => [
        resource,
        Object.fromEntries([...operations].map(([name, units]) => [name, Object.fromEntries(units)])),
      ]),
    );
  }

  reset(): void {
    this.#counts.clear();
  }
}

function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

/** Queues bill a payload by pieces of 64 kB: 1 for an empty one. */
export function billedChunks(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 65_536));
}

/** Answers a request about the counters; false when the request is not one. */
export function handleUsage(request: IncomingMessage, response: ServerResponse, usage: UsageMeter): boolean {
  if (request.url !== USAGE_PATH) return false;
  if (request.method === 'DELETE') usage.reset();
  else if (request.method !== 'GET') {
    response.writeHead(405, { allow: 'GET, DELETE' }).end();
    return true;
  }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(usage.read()));
  return true;
}
