/** What the contract says about operations, found by method and path. */
import type { OperationFacts } from './operation-facts.ts';

export class FactsTable {
  readonly #operations: readonly OperationFacts[];
  readonly #byName: ReadonlyMap<string, OperationFacts>;

  constructor(operations: readonly OperationFacts[]) {
    this.#operations = operations;
    this.#byName = new Map(operations.map((facts) => [`${facts.method} ${facts.path}`, facts]));
  }

  /** @param path As in the contract: `/users/{userId}`. Undefined: the contract has no such operation. */
  of(method: string, path: string): OperationFacts | undefined {
    return this.#byName.get(`${method} ${path}`);
  }

  /** `/users/{userId}`, for `users`. @throws TypeError when there is none. */
  recordTemplate(collection: string): string {
    const begins = `/${collection}/{`;
    const found = this.#operations.find(
      ({ path }) => path.startsWith(begins) && path.endsWith('}') && !path.includes('/', begins.length),
    );
    if (found === undefined) throw new TypeError(`the contract has no records below /${collection}`);
    return found.path;
  }
}
