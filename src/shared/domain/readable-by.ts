/**
 * Who sees which fields.
 *
 * Invariant: a field that is declared for some is left out of every answer to others; where nobody is asked who they are
 * (neither issuers nor keys are configured), everybody sees everything.
 */
import type { Json } from '@tandem-clouds/replication/json';
import { own } from '@tandem-clouds/replication/own';
import type { Entity, RuleCaller } from './entity.ts';

/** Who asks, as far as it decides about what they see. */
export type Reader = Pick<RuleCaller, 'subject' | 'scopes'>;

/** Stands among the scopes of a field for the owner of the record. */
export const OWNER = 'owner';

/** The values without those that the reader may not see. @param reader Undefined: nobody is asked who they are. */
export function readableBy(
  entity: Entity,
  values: Readonly<Record<string, Json>>,
  reader: Reader | undefined,
): Readonly<Record<string, Json>> {
  const restricted = Object.entries(entity.readableBy);
  if (reader === undefined || restricted.length === 0) return values;
  const shown = { ...values };
  for (const [field, readers] of restricted) {
    const mayRead = readers.some((each) =>
      each === OWNER ? isOwner(entity, values, reader) : reader.scopes.includes(each),
    );
    if (!mayRead) Reflect.deleteProperty(shown, field);
  }
  return shown;
}

function isOwner({ access }: Entity, values: Readonly<Record<string, Json>>, { subject }: Reader): boolean {
  const owner = access.owner === undefined ? undefined : own(values, access.owner);
  return subject !== undefined && owner === subject;
}
