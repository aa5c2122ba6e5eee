/** What rules and handlers refuse by, in the contract: by status, the codes that are declared, and ours of that status. */
import type { DeclaredError } from '../../src/shared/domain/entity.ts';
import { codesOf } from '../../src/shared/http/problem.ts';
import { ref } from './openapi-parts.ts';

type Errors = Readonly<Record<string, DeclaredError>>;

/** @param name Of whoever refuses; begins the names of the schemas. */
export function refusalSchemas(name: string, errors: Errors): Record<string, object> {
  return Object.fromEntries(
    byStatus(errors).map(({ status, declared }) => {
      const codes = [...codesOf(status), ...declared.map(([code]) => code)];
      const named = { type: 'object', properties: { code: { enum: codes } } };
      return [schemaName(name, status), { allOf: [ref('schemas', 'Problem'), named] }];
    }),
  );
}

export function refusalResponses(name: string, errors: Errors): Record<string, object> {
  return Object.fromEntries(
    byStatus(errors).map(({ status, declared }) => {
      const description = declared.map(([code, { title }]) => `\`${code}\`: ${title}`).join('; ');
      const schema = ref('schemas', schemaName(name, status));
      return [String(status), { description, content: { 'application/problem+json': { schema } } }];
    }),
  );
}

function schemaName(name: string, status: number): string {
  return `${name}Problem${status}`;
}

function byStatus(errors: Errors): { status: number; declared: readonly [string, DeclaredError][] }[] {
  const grouped = Map.groupBy(Object.entries(errors), ([, { status }]) => status);
  return [...grouped].map(([status, declared]) => ({ status, declared }));
}
