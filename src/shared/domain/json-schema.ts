/** JSON Schema as entities use it, and the TypeScript type of what a schema describes. */
import type { Json } from '@tandem-clouds/replication/json';

export interface JsonSchemaObject {
  readonly type: 'object';
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly maxProperties?: number;
  readonly minProperties?: number;
  readonly description?: string;
  readonly example?: unknown;
  readonly properties: Readonly<Record<string, JsonSchema>>;
}
export type JsonSchema = Readonly<Record<string, unknown>> | JsonSchemaObject;

/** Name → schema. */
export type Properties = Readonly<Record<string, JsonSchema>>;

/** The type of a value that a schema describes; `Json` where the schema does not say. */
export type ValueOf<Schema> = Schema extends { readonly enum: readonly (infer Member)[] }
  ? Member
  : Schema extends { readonly states: { readonly order: readonly (infer State)[] } }
    ? State
    : Schema extends { readonly type: 'string' }
      ? string
      : Schema extends { readonly type: 'integer' | 'number' }
        ? number
        : Schema extends { readonly type: 'boolean' }
          ? boolean
          : Schema extends { readonly type: 'array'; readonly items: infer Items }
            ? readonly ValueOf<Items>[]
            : Schema extends { readonly type: 'object' }
              ? Readonly<Record<string, Json>>
              : Json;

/** The type of an object with these properties, of which `Required` are always there. */
export type ObjectOf<P, Required = never> = {
  readonly [Name in keyof P as Name extends Required ? Name : never]: ValueOf<P[Name]>;
} & {
  readonly [Name in keyof P as Name extends Required ? never : Name]?: ValueOf<P[Name]>;
};

/** Ids that both stores and a path segment carry as they are. */
export const ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$';
export const idSchema = { type: 'string', pattern: ID_PATTERN } as const;

/** A whole number that a double, and so JSON, holds exactly (RFC 8259, section 6). */
export const exactInteger = {
  type: 'integer',
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
} as const;

/** Any JSON object, bounded in width; the reader of bodies bounds its depth. */
export const metadataSchema = { type: 'object', maxProperties: 100, additionalProperties: true } as const;
