/**
 * The session guarantee: `X-Tandem-Session` names the state of a record that a client has written or read. A read
 * that carries it, at any site, answers with that state or a later one, and a write is decided by such a state.
 *
 * A client may send several tokens in one header, separated by commas; a read heeds those about what it reads, a write those about its record.
 */
import type { SeenState } from '@tandem-clouds/replication/await-states';
import { MalformedError } from '@tandem-clouds/replication/errors';
import { stateName, type StoredRecord } from '@tandem-clouds/replication/record';
import { vectorOfName } from '@tandem-clouds/replication/vector';
import { sessionTokensMax } from '../bounds.ts';
import { ID_PATTERN } from '../domain/json-schema.ts';
import type { HttpRequest } from './route.ts';

const KEY = new RegExp(`^[a-z][a-z0-9-]*:${ID_PATTERN.slice(1)}`);
const TOKEN = /^[A-Za-z0-9_-]{1,2048}$/;

/** The token of a record's state: its key and its vector, opaque to clients. */
export function sessionToken({ key, state }: StoredRecord): string {
  return Buffer.from(`${key} ${stateName(state)}`).toString('base64url');
}

/** The states that the client names; none without the header. @throws MalformedError */
export function seenStates({ headers }: HttpRequest): readonly SeenState[] {
  const header = headers['x-tandem-session'];
  if (header === undefined) return [];
  const tokens = header.split(',').map((token) => token.trim());
  // Of a list in a header, empty elements are ignored (RFC 9110, section 5.6.1.2).
  const given = tokens.filter((token) => token !== '');
  if (given.length === 0 || given.length > sessionTokensMax) throw malformed();
  return given.map(parseToken);
}

function parseToken(token: string): SeenState {
  if (!TOKEN.test(token)) throw malformed();
  const [key = '', name = '', ...rest] = Buffer.from(token, 'base64url').toString('utf8').split(' ');
  const vector = vectorOfName(name);
  if (!KEY.test(key) || vector === undefined || rest.length > 0) throw malformed();
  return { key, vector };
}

function malformed(): MalformedError {
  return new MalformedError(
    `X-Tandem-Session must hold 1 to ${sessionTokensMax} tokens as they were given out`,
  );
}
