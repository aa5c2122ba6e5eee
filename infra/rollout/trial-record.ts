/**
 * A record to try a site with, for any declared entity: its example, with the name of the trial wherever a text takes one, so
 * that people know it when they see it and no two trials have the same unique value.
 */
import { creationHeaders } from '@tandem-clouds/local/creation-headers';
import type { Json } from '@tandem-clouds/replication/json';
import { clientFields, creationFields, type Entity, policyOf } from '../../src/shared/domain/entity.ts';
import type { JsonSchema } from '../../src/shared/domain/json-schema.ts';

export interface TrialRecord {
  /** `/users` */
  readonly path: string;
  readonly body: Readonly<Record<string, Json>>;
  /** Of its creation: those of every request, and a key where one is needed. */
  readonly creation: Readonly<Record<string, string>>;
  /** A change that is accepted, of one field; undefined where clients change none. */
  readonly change: Readonly<Record<string, Json>> | undefined;
  /** Of every request about it: the tenant that it is tried as, where the entity has some. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Why records of an entity are not tried by whoever tries the site; undefined: they are. */
export function whyNotTried({ access }: Entity, { status }: { readonly status: number }): string | undefined {
  if (status !== 403) return undefined;
  if (access.write !== undefined) return `TANDEM_TOKEN has not got the scope ${access.write}`;
  return access.tenant === undefined ? undefined : 'TANDEM_TOKEN may act for no tenant';
}

/** @param name In lower case, with digits and hyphens; not too long. */
export function trialRecord(entity: Entity, name: string): TrialRecord {
  const schemas = new Map(creationFields(entity));
  const changed = new Set(clientFields(entity).map(([field]) => field));
  const named = (text: string): Record<string, Json> =>
    Object.fromEntries(
      Object.entries(entity.example).flatMap(([field, value]) => {
        const own = field === entity.access.owner ? undefined : textFor(schemas.get(field), text);
        return typeof value !== 'string' || own === undefined ? [] : [[field, own]];
      }),
    );
  const kept = Object.entries(entity.example).filter(
    ([field]) => changed.has(field) && policyOf(entity, field) === 'register',
  );
  const headers: Readonly<Record<string, string>> =
    entity.access.tenant === undefined ? {} : { 'x-tandem-tenant': 'trial' };
  const [change] = [...Object.entries(named(`${name}-2`)).filter(([field]) => changed.has(field)), ...kept];
  return {
    path: `/${entity.collection}`,
    body: { ...entity.example, ...named(name) },
    creation: { ...headers, ...creationHeaders(entity) },
    change: change && Object.fromEntries([change]),
    headers,
  };
}

/** The text as a value of a field, where any text will do or it says that it is an e-mail address. */
function textFor(schema: JsonSchema | undefined, text: string): string | undefined {
  const { type, format, maxLength, ...rest } = (schema ?? {}) as {
    readonly type?: unknown;
    readonly format?: unknown;
    readonly maxLength?: unknown;
  };
  if (type !== 'string' || ['enum', 'const', 'pattern'].some((keyword) => keyword in rest)) return undefined;
  const value = format === 'email' ? `${text}@smoke.example` : text;
  if (format !== undefined && format !== 'email') return undefined;
  return typeof maxLength === 'number' && maxLength < value.length ? undefined : value;
}
