/** Where the records of each entity are read: the page shows a record that it knows by its key alone. */
import schema from '../../../../src/shared/registry/schema.json' with { type: 'json' };

export interface EntityPlace {
  readonly name: string;
  /** Its records are at `/<collection>/<id>`. */
  readonly collection: string;
  /** The key has the name of a tenant in it, as a digest: no record is read by its key. */
  readonly hasTenants: boolean;
}

interface Declared {
  readonly collection: string;
  readonly access?: { readonly tenant?: string };
}

/** As this release declares them; items are of no declaration. */
export function entityPlaces(): readonly EntityPlace[] {
  const declared = Object.entries(schema.entities as Readonly<Record<string, Declared>>);
  return [
    { name: 'item', collection: 'items', hasTenants: false },
    ...declared.map(([name, { collection, access }]) => ({
      name,
      collection,
      hasTenants: access?.tenant !== undefined,
    })),
  ];
}
