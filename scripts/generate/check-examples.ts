/** What only a schema compiler sees in a declaration: schemas that are none, and examples that would be refused. */
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import type { Mistake } from '../../src/shared/domain/declaration-mistakes.ts';
import { defaultOf, type Entity } from '../../src/shared/domain/entity.ts';
import { createSchema } from '../../src/shared/domain/entity-schemas.ts';

/** A process that stays checks what it has not checked yet. */
const known = new WeakMap<Entity, readonly Mistake[]>();

export function schemaMistakes(entity: Entity): readonly Mistake[] {
  const mistakes = known.get(entity) ?? mistakesOf(entity);
  known.set(entity, mistakes);
  return mistakes;
}

function mistakesOf(entity: Entity): readonly Mistake[] {
  const ajv = new Ajv.default({ allErrors: true, strict: true, strictRequired: false, discriminator: true });
  addFormats.default(ajv);
  const broken = Object.entries(entity.fields).flatMap(([field, schema]): Mistake[] => {
    try {
      const isValid = ajv.compile(schema);
      const value = defaultOf(entity, field);
      if (value === undefined || isValid(value)) return [];
      const all = (isValid.errors ?? []).map(({ message = '' }) => message);
      return [{ at: ['fields', field, 'default'], detail: all.join(', ') }];
    } catch (error) {
      return [{ at: ['fields', field], detail: error instanceof Error ? error.message : String(error) }];
    }
  });
  if (broken.length > 0) return broken;
  const isCreation = ajv.compile(createSchema(entity));
  const records = [
    [['example'], entity.example] as const,
    // The example itself is a sample where none are given.
    ...Object.entries(entity.samples).flatMap(([id, fields]) =>
      fields === entity.example ? [] : [[['samples', id], fields] as const],
    ),
  ];
  return records.flatMap(([at, fields]) => {
    if (isCreation(fields)) return [];
    return (isCreation.errors ?? []).flatMap(({ instancePath, message = '', params }): Mistake[] => {
      const { additionalProperty: extra, missingProperty: missing } = params as Readonly<
        Record<string, string | undefined>
      >;
      // That it is required and not declared is another mistake.
      if (missing !== undefined && instancePath === '' && !(missing in entity.fields)) return [];
      const mistake = {
        at: [...at, ...instancePath.split('/').slice(1), ...(extra === undefined ? [] : [extra])],
        detail: extra === undefined ? message : 'is no field that a creation may have',
      };
      return [mistake];
    });
  });
}
