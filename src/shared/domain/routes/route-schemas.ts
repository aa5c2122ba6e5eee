/** The JSON Schemas of one operation of custom routes: of its path, of what is sent, of what is answered. */
import { ID_PATTERN, type JsonSchema, type JsonSchemaObject } from '../json-schema.ts';
import { type CustomOperation, paramsOf } from './custom-routes.ts';

/** The schema of each parameter of the path. */
export function pathParams({ path, params }: CustomOperation): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(
    paramsOf(path).map((name) => [name, { ...(params[name] ?? { pattern: ID_PATTERN }), type: 'string' }]),
  );
}

/** Undefined for a path without parameters. */
export function paramsSchema(operation: CustomOperation): JsonSchemaObject | undefined {
  const properties = pathParams(operation);
  const required = Object.keys(properties);
  return required.length === 0
    ? undefined
    : { type: 'object', required, additionalProperties: false, properties };
}

/** Undefined where nothing is sent: neither a query nor a body. */
export function routeInputSchema({ input, required }: CustomOperation): JsonSchemaObject | undefined {
  return input && { type: 'object', required, additionalProperties: false, properties: input };
}

/** Undefined where nothing is answered. */
export function outputSchema({ output }: CustomOperation): JsonSchemaObject | undefined {
  if (output === undefined) return undefined;
  const fields = Object.entries(output).map(([name, { optional, ...schema }]) => ({
    name,
    isOptional: optional === true,
    schema,
  }));
  return {
    type: 'object',
    required: fields.filter(({ isOptional }) => !isOptional).map(({ name }) => name),
    additionalProperties: false,
    properties: Object.fromEntries(fields.map(({ name, schema }) => [name, schema])),
  };
}
