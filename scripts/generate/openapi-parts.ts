/** Small pieces of the contract that several paths share. */

/** One operation of a path. */
export type Operation = Readonly<Record<string, unknown>>;

export function ref(kind: 'schemas' | 'headers', name: string): { $ref: string } {
  return { $ref: `#/components/${kind}/${name}` };
}

/** A JSON answer. */
export function answer(schema: string, description: string, headers?: Record<string, unknown>): object {
  return {
    description,
    ...(headers !== undefined && { headers }),
    content: { 'application/json': { schema: ref('schemas', schema) } },
  };
}

const MEANING: Readonly<Record<number, string>> = {
  400: 'Malformed or invalid; every broken rule is named',
  404: 'No such record',
  409: 'It exists already',
  412: 'A precondition does not hold',
  413: 'The body, or the record it would make, is too large',
  415: 'The body is not JSON',
  503: 'A dependency does not answer; see Retry-After',
};

/** Problem documents by status. */
export function problems(...statuses: readonly number[]): Record<string, object> {
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      {
        description: MEANING[status] ?? 'Failed',
        content: { 'application/problem+json': { schema: ref('schemas', 'Problem') } },
      },
    ]),
  );
}
