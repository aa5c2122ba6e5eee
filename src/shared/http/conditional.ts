/** Entity tags and the preconditions made from them (RFC 9110, sections 8.8.3 and 13). */
import { MalformedError } from '@tandem-clouds/replication/errors';
import { type RecordState, stateName } from '@tandem-clouds/replication/record';
import type { Precondition } from '../domain/entity-service.ts';

/** One element of a list (RFC 9110, section 5.6.1): an entity tag, or nothing, which is ignored. */
const ELEMENT = /[ \t]*(?:(W\/)?"([\x21\x23-\x7e\x80-\uffff]*)")?[ \t]*(?:,|$)/y;

interface Tag {
  readonly name: string;
  readonly weak: boolean;
}

/** Strong, and the same at every site that holds the same state. */
export function etagOf(state: RecordState): string {
  return `"${stateName(state)}"`;
}

/** `If-Match` as a condition of a write: only strong tags can match (section 13.1.1). @throws MalformedError */
export function ifMatchOf(header: string | undefined): Precondition | undefined {
  const tags = parseTags(header, 'If-Match');
  if (tags === undefined || tags === ANY) return tags && { any: true };
  return { anyOf: tags.filter(({ weak }) => !weak).map(({ name }) => name) };
}

/** Whether a write may only create: `If-None-Match: *`. Undefined without the header, false when it names tags. */
export function isOnlyIfAbsent(header: string | undefined): boolean | undefined {
  const tags = parseTags(header, 'If-None-Match');
  return tags && tags === ANY;
}

/** Whether the client already holds this state, so that 304 will do: weak tags match as well (section 13.1.2). */
export function isNotModified(header: string | undefined, state: RecordState): boolean {
  const tags = parseTags(header, 'If-None-Match');
  if (tags === undefined) return false;
  return tags === ANY || tags.some(({ name }) => name === stateName(state));
}

/** Whether `If-None-Match` names states, of which the record may leave one: `*` names none. */
export function namesStates(header: string | undefined): boolean {
  const tags = parseTags(header, 'If-None-Match');
  return tags !== undefined && tags !== ANY;
}

const ANY = '*';

/** @throws MalformedError when the header is neither `*` nor a list of entity tags with one at least. */
function parseTags(header: string | undefined, name: string): typeof ANY | readonly Tag[] | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === ANY) return ANY;
  const tags: Tag[] = [];
  ELEMENT.lastIndex = 0;
  while (ELEMENT.lastIndex < header.length) {
    const found = ELEMENT.exec(header);
    if (found === null) throw malformed(name);
    const [, weak, tag] = found;
    if (tag !== undefined) tags.push({ name: tag, weak: weak !== undefined });
  }
  if (tags.length === 0) throw malformed(name);
  return tags;
}

function malformed(name: string): MalformedError {
  return new MalformedError(`${name} must be "*" or a list of entity tags`);
}
