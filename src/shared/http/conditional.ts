/** Entity tags and the preconditions made from them (RFC 9110, sections 8.8.3 and 13). */
import type { Precondition } from '../domain/entity-service.ts';
import { MalformedError } from '../errors.ts';
import { stateName, type RecordState } from '../replication/record.ts';

const LIST = /^\s*(?:W\/)?"[^"]*"\s*(?:,\s*(?:W\/)?"[^"]*"\s*)*$/;

/** Strong, and the same at every site that holds the same state. */
export function etagOf(state: RecordState): string {
  return `"${stateName(state)}"`;
}

/** @throws MalformedError when the header is neither `*` nor a list of entity tags. */
export function parseTags(header: string | undefined, name: string): Precondition | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return { any: true };
  if (!LIST.test(header)) throw new MalformedError(`${name} must be "*" or a list of entity tags`);
  return { anyOf: [...header.matchAll(/"([^"]*)"/g)].map(([, tag]) => tag ?? '') };
}

/** Whether the client already holds this state, so that 304 will do. */
export function isNotModified(header: string | undefined, state: RecordState): boolean {
  const tags = parseTags(header, 'If-None-Match');
  if (tags === undefined) return false;
  return 'any' in tags || tags.anyOf.includes(stateName(state));
}
