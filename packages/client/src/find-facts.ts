/** Finds what the contract says about an operation. */
import { operationFacts } from './generated/operations.ts';
import type { OperationFacts } from './operation-facts.ts';

const FACTS: ReadonlyMap<string, OperationFacts> = new Map(
  operationFacts.map((facts) => [`${facts.method} ${facts.path}`, facts]),
);

/** @param path As in the contract: `/users/{userId}`. Undefined: the contract has no such operation. */
export function factsOf(method: string, path: string): OperationFacts | undefined {
  return FACTS.get(`${method} ${path}`);
}

/** `/users/{userId}`, for `users`. */
export function recordTemplate(collection: string): string {
  const begins = `/${collection}/{`;
  const found = operationFacts.find(
    ({ path }) =>
      path.startsWith(begins) && path.endsWith('}') && !path.slice(1 + begins.length).includes('/'),
  );
  if (found === undefined) throw new TypeError(`the contract has no records below /${collection}`);
  return found.path;
}
