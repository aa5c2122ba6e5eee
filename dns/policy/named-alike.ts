/**
 * Holds types to the JSON schema that guards them, while compiling.
 *
 * Invariant: a setting has one name in both. A validator passes a value on as it is, and its type is asserted; a setting
 * renamed in one place alone would be accepted, be undefined to whoever reads it, and make every comparison false.
 */

/** `Type`, if every pair of a type and its part of the schema has the same names; otherwise what differs. */
export type NamedAlike<Type, Pairs extends readonly (readonly [unknown, unknown])[]> = [
  Differences<Pairs>,
] extends [never]
  ? Type
  : { readonly 'named in the type or the schema only': Differences<Pairs> };

type Differences<Pairs extends readonly (readonly [unknown, unknown])[]> = {
  [Index in keyof Pairs]: Difference<Pairs[Index][0], Pairs[Index][1]>;
}[number];

/** A reference within the schema is no type: what is referred to is a pair of its own. */
type Difference<Type, Part> = Part extends { readonly properties: infer Properties }
  ? | Exclude<keyof Properties, keyof Type>
    | Exclude<keyof Type, keyof Properties>
    | {
        [Name in keyof Properties & keyof Type]: Difference<NonNullable<Type[Name]>, Properties[Name]>;
      }[keyof Properties & keyof Type]
  : Part extends { readonly items: infer Item }
    ? Type extends readonly (infer Element)[]
      ? Difference<Element, Item>
      : never
    : Part extends { readonly additionalProperties: infer Value }
      ? Type extends Readonly<Record<string, infer Member>>
        ? Difference<Member, Value>
        : never
      : never;
