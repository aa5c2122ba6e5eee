/** Custom routes for tests, with their schemas compiled as `npm run generate` compiles them. */
import Ajv, { type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { CustomRoutes } from '../../src/shared/domain/routes/custom-routes.ts';
import { defineRoutes } from '../../src/shared/domain/routes/define-routes.ts';
import {
  outputSchema,
  paramsSchema,
  routeInputSchema,
} from '../../src/shared/domain/routes/route-schemas.ts';
import { RuleError } from '../../src/shared/domain/rule-error.ts';
import type { OperationChecks } from '../../src/shared/http/custom-routes.ts';

const people = { type: 'array', items: { type: 'string' } } as const;

/** What can be done beside the records of users. @param provider Base URL of a service that knows rates. */
export function sampleRoutes(provider = 'http://127.0.0.1:1'): CustomRoutes {
  return defineRoutes({
    name: 'guests',
    description: 'Guests, who are users',
    uses: { records: { user: 'write' }, secrets: ['guest-key'], http: true },
    operations: {
      invite: {
        method: 'POST',
        path: '/guests',
        summary: 'Invite two people at once',
        keyed: true,
        input: { host: { type: 'string', minLength: 1 }, guest: { type: 'string', minLength: 1 } },
        required: ['host', 'guest'],
        output: { hostId: { type: 'string' }, guestId: { type: 'string' } },
        status: 201,
        async handle({ input }, { records }) {
          const make = (name: string, step: string) =>
            records.user.create({ name, email: 'a@example.com' }, { step });
          const [host, guest] = [await make(input.host, 'host'), await make(input.guest, 'guest')];
          return { hostId: host.id, guestId: guest.id };
        },
      },
      getGuest: {
        method: 'GET',
        path: '/guests/{userId}/in/{language}',
        summary: 'A guest, greeted',
        params: { language: { pattern: '^[a-z]{2}$' } },
        input: { loud: { type: 'boolean' }, times: { type: 'integer', minimum: 1, maximum: 3 } },
        required: ['times'],
        output: { text: { type: 'string', maxLength: 60 }, note: { type: 'string', optional: true } },
        errors: { unspoken: { title: 'Nobody speaks it here', status: 404 } },
        async handle({ params, input }, { records }) {
          if (params.language === 'xx') throw new RuleError('unspoken');
          if (params.language === 'yy') throw new RuleError('undeclared');
          const { name } = await records.user.read(params.userId);
          const text = Array.from({ length: input.times }, () => name as string).join(' ');
          return { text: input.loud === true ? text.toUpperCase() : text, note: undefined };
        },
      },
      listGuests: {
        method: 'GET',
        path: '/guests',
        summary: 'All of them',
        output: { names: people, next: { type: 'string', optional: true } },
        async handle(_, { records }) {
          const { items, cursor } = await records.user.list({ limit: 100 });
          return { names: items.map(({ name }) => name as string), next: cursor };
        },
      },
      convert: {
        method: 'POST',
        path: '/guests/rates',
        summary: 'A rate of the provider',
        access: { scope: 'guests/rates' },
        output: { rate: { type: 'number' } },
        async handle(_, { http }) {
          return { rate: Number(((await http.json({ url: `${provider}/rate` })) as { rate: unknown }).rate) };
        },
      },
      peek: {
        method: 'POST',
        path: '/guests/secrets',
        summary: 'Wants what is not declared',
        async handle(_, { secrets }) {
          await secrets.get('another-key');
        },
      },
      wave: {
        method: 'PUT',
        path: '/guests/wave',
        summary: 'Whoever passes by',
        access: 'everybody',
        output: { signature: { type: 'string' } },
        input: { hello: { type: 'string' } },
        handle: ({ rawBody, caller }) => ({ signature: `${rawBody.length} ${caller?.subject ?? 'nobody'}` }),
      },
    },
  });
}

/** By the name of the operation. */
export function checksOf({ operations }: CustomRoutes): Readonly<Record<string, OperationChecks>> {
  const ajv = new Ajv.default({ allErrors: true, strict: true, strictRequired: false });
  addFormats.default(ajv);
  const compiled = (schema: object | undefined): ValidateFunction | undefined =>
    schema && ajv.compile(schema);
  return Object.fromEntries(
    Object.entries(operations).map(([name, operation]) => {
      const [params, input, output] = [
        compiled(paramsSchema(operation)),
        compiled(routeInputSchema(operation)),
        compiled(outputSchema(operation)),
      ];
      return [name, { ...(params && { params }), ...(input && { input }), ...(output && { output }) }];
    }),
  );
}
