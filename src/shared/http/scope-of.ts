/** For whom a request is made: its caller, or whom its headers name, which take a scope of their own. */
import { MalformedError } from '@tandem-clouds/replication/errors';
import { sha256 } from '../digest.ts';
import type { Entity } from '../domain/entity.ts';
import { Scope } from '../domain/scope.ts';
import type { HttpRequest } from './route.ts';

/** Percent-encoded (RFC 3986, section 2.1) where a name is not visible ASCII. Without meaning for an entity that has none. */
export const OWNER_HEADER = 'x-tandem-owner';
export const TENANT_HEADER = 'x-tandem-tenant';

/** What the request may know of an entity. @throws ForbiddenError @throws MalformedError */
export function scopeOf(entity: Entity, { headers, caller }: Pick<HttpRequest, 'headers' | 'caller'>): Scope {
  return new Scope(entity, caller && { ...caller, tenant: undefined }, {
    owner: nameIn(headers, OWNER_HEADER),
    tenant: nameIn(headers, TENANT_HEADER),
    sha256,
    isAnybody: caller?.isAnybody === true,
  });
}

function nameIn(headers: HttpRequest['headers'], name: string): string | undefined {
  const value = headers[name];
  if (value === undefined) return undefined;
  try {
    return decodeURIComponent(value.trim());
  } catch (cause) {
    throw new MalformedError(`${name} must be percent-encoded`, { cause });
  }
}
