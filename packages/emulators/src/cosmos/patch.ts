/**
 * Partial document update: the operations of a PATCH body applied to a copy of an item.
 * https://learn.microsoft.com/azure/cosmos-db/partial-document-update
 */
import { badRequest } from './errors.ts';
import { isObject, type JsonObject } from './model.ts';

/** The service refuses a longer list of operations. */
export const PATCH_OPERATIONS_MAX = 10;

const SYSTEM_PROPERTIES = new Set(['_rid', '_self', '_etag', '_ts', '_attachments']);

export interface PatchOperation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
  readonly from?: string;
}

/** The property or array element that a path names. */
interface Target {
  readonly parent: JsonObject | unknown[];
  readonly key: string;
  readonly path: string;
}

/** @throws CosmosError 400 when the body is not a list of one to ten operations. */
export function parsePatch(body: unknown): { operations: readonly PatchOperation[]; condition?: string } {
  const spec = Array.isArray(body) ? { operations: body as unknown[] } : body;
  if (!isObject(spec) || !Array.isArray(spec['operations']) || spec['operations'].length === 0) {
    throw badRequest('The patch specification must hold at least one operation.');
  }
  const operations = spec['operations'] as unknown[];
  if (operations.length > PATCH_OPERATIONS_MAX) {
    throw badRequest(`The number of patch operations can't exceed ${PATCH_OPERATIONS_MAX}.`);
  }
  for (const operation of operations) {
    if (
      !isObject(operation) ||
      typeof operation['op'] !== 'string' ||
      typeof operation['path'] !== 'string'
    ) {
      throw badRequest('A patch operation needs an op and a path.');
    }
  }
  const condition = spec['condition'];
  return {
    operations: operations as PatchOperation[],
    ...(typeof condition === 'string' && condition.trim() !== '' ? { condition } : {}),
  };
}

/**
 * Applies the operations in order and returns the changed copy; the original stays as it is.
 * @param partitionKeyPaths Paths that a patch may not touch, besides the id and the system properties.
 * @throws CosmosError 400 naming the operation that cannot be applied; nothing of the patch is then kept.
 */
export function applyPatch(
  original: JsonObject,
  operations: readonly PatchOperation[],
  partitionKeyPaths: readonly string[] = [],
): JsonObject {
  const doc = structuredClone(original);
  for (const operation of operations) {
    assertMutable(operation.path, partitionKeyPaths);
    applyOne(doc, operation, partitionKeyPaths);
  }
  return doc;
}

function applyOne(doc: JsonObject, operation: PatchOperation, partitionKeyPaths: readonly string[]): void {
  const { op, path, value } = operation;
  switch (op.toLowerCase()) {
    case 'add':
      assertValue(operation);
      put(resolve(doc, path), value, 'insert');
      break;
    case 'set':
      assertValue(operation);
      put(resolve(doc, path), value, 'overwrite');
      break;
    case 'replace':
      assertValue(operation);
      replace(resolve(doc, path), value);
      break;
    case 'remove':
      take(resolve(doc, path));
      break;
    case 'incr':
    case 'increment':
      increment(resolve(doc, path), value);
      break;
    case 'move': {
      if (operation.from === undefined) throw badRequest(`Move to '${path}' needs a from path.`);
      assertMutable(operation.from, partitionKeyPaths);
      if (`${path}/`.startsWith(`${operation.from}/`))
        throw badRequest(`'${path}' is inside '${operation.from}'.`);
      const moved = take(resolve(doc, operation.from));
      put(resolve(doc, path), moved, 'overwrite');
      break;
    }
    default:
      throw badRequest(`Patch operation '${op}' is not supported.`);
  }
}

function assertMutable(path: string, partitionKeyPaths: readonly string[]): void {
  const [, first = ''] = path.split('/');
  const touchesKey = partitionKeyPaths.some(
    (key) => path === key || key.startsWith(`${path}/`) || path.startsWith(`${key}/`),
  );
  if (!path.startsWith('/') || first === '') throw badRequest(`Patch path '${path}' is not valid.`);
  if (first === 'id' || SYSTEM_PROPERTIES.has(first) || touchesKey) {
    throw badRequest(`Patch path '${path}' names a property that can't be changed.`);
  }
}

function assertValue(operation: PatchOperation): void {
  if (!('value' in operation))
    throw badRequest(`Patch operation '${operation.op}' on '${operation.path}' needs a value.`);
}

/** Walks to the parent of what a path names; `~1` stands for a slash and `~0` for a tilde (RFC 6901). */
function resolve(doc: JsonObject, path: string): Target {
  const segments = path
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  const key = segments.pop() ?? '';
  let parent: unknown = doc;
  for (const segment of segments) {
    parent = Array.isArray(parent)
      ? parent[elementIndex(segment, parent.length - 1, path)]
      : own(parent, segment);
  }
  if (!isObject(parent) && !Array.isArray(parent))
    throw badRequest(`Patch path '${path}' has no parent in the item.`);
  return { parent, key, path };
}

function own(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function elementIndex(segment: string, max: number, path: string): number {
  const index = /^(0|[1-9]\d*)$/.test(segment) ? Number(segment) : NaN;
  if (!(index <= max)) throw badRequest(`Patch path '${path}' names an array element that does not exist.`);
  return index;
}

/** Add and set differ in arrays only: add inserts before the element, set overwrites it; `-` appends. */
function put({ parent, key, path }: Target, value: unknown, how: 'insert' | 'overwrite'): void {
  if (!Array.isArray(parent)) parent[key] = value;
  else if (key === '-') parent.push(value);
  else parent.splice(elementIndex(key, parent.length, path), how === 'insert' ? 0 : 1, value);
}

function replace(target: Target, value: unknown): void {
  const { parent, key, path } = target;
  if (Array.isArray(parent)) parent[elementIndex(key, parent.length - 1, path)] = value;
  else if (Object.hasOwn(parent, key)) parent[key] = value;
  else throw badRequest(`Patch path '${path}' does not exist in the item.`);
}

function take({ parent, key, path }: Target): unknown {
  if (Array.isArray(parent)) return parent.splice(elementIndex(key, parent.length - 1, path), 1)[0];
  if (!Object.hasOwn(parent, key)) throw badRequest(`Patch path '${path}' does not exist in the item.`);
  const value = parent[key];
  Reflect.deleteProperty(parent, key);
  return value;
}

function increment(target: Target, by: unknown): void {
  const { parent, key, path } = target;
  if (typeof by !== 'number') throw badRequest(`Increment of '${path}' needs a number.`);
  const current: unknown = Array.isArray(parent)
    ? parent[elementIndex(key, parent.length - 1, path)]
    : own(parent, key);
  if (current !== undefined && typeof current !== 'number') throw badRequest(`'${path}' is not a number.`);
  put(target, (current ?? 0) + by, 'overwrite');
}
