/** What the compiler says about handlers of custom routes, and what a declaration becomes. */
import { expect, test } from '@jest/globals';
import { routePaths } from '../../../scripts/generate/openapi-routes.ts';
import { markup } from '../../../src/shared/domain/markup.ts';
import { defineRoutes } from '../../../src/shared/domain/routes/define-routes.ts';
import { outputSchema, paramsSchema } from '../../../src/shared/domain/routes/route-schemas.ts';
import { bookingWith } from '../../helpers/owned-entity.ts';

const routes = defineRoutes({
  name: 'guests',
  description: 'Guests',
  uses: { records: { user: 'read', booking: 'write' } },
  operations: {
    greet: {
      method: 'POST',
      path: '/guests/{userId}/{language}',
      summary: 'Greet',
      params: { language: { pattern: '^[a-z]{2}$' } },
      input: { text: { type: 'string' }, times: { type: 'integer' } },
      required: ['text'],
      output: { greeting: { type: 'string' }, note: { type: 'string', optional: true } },
      async handle({ params, input }, context) {
        const text: string = input.text;
        // @ts-expect-error It may be missing.
        const times: number = input.times;
        // @ts-expect-error Not a parameter of the path.
        const other: unknown = params.other;
        const { id } = await context.records.user.read(params.userId);
        await context.records.booking.create({ text });
        // @ts-expect-error Only read.
        const { create } = context.records.user;
        // @ts-expect-error Not declared.
        const { film } = context.records;
        // @ts-expect-error Not declared.
        const { http, secrets, settings } = context;
        const used: unknown[] = [times, other, create, film, http, secrets, settings];
        return { greeting: `${id} ${text} ${used.length}` };
      },
    },
    forget: {
      method: 'DELETE',
      path: '/guests',
      summary: 'Forget',
      // @ts-expect-error There is no output.
      handle: () => ({ forgotten: true }),
    },
    count: {
      method: 'GET',
      path: '/guests',
      summary: 'Count',
      output: { guests: { type: 'integer' } },
      // @ts-expect-error Of another type.
      handle: () => ({ guests: 'many' }),
    },
  },
});

test('the contract says which sites do it, where the records that it uses are not everywhere', () => {
  const booking = bookingWith({});
  const sitesOf = (path: string, method: string, placed: object): unknown =>
    routePaths(routes, [{ ...booking, ...placed }])[path]?.[method]?.['x-tandem-sites'];
  const sites = ['azure-eastus', 'aws-us-east-1'];
  const path = '/guests/{userId}/{language}';
  expect(sitesOf(path, 'post', {})).toBeUndefined();
  expect(sitesOf(path, 'post', { sites })).toEqual(sites);
  expect(sitesOf(path, 'post', { sites, writes: 'azure-eastus' })).toEqual(['azure-eastus']);
  expect(sitesOf('/guests', 'get', { sites, writes: 'azure-eastus' })).toEqual(sites);
});

test('what is not said has its default', () => {
  const { greet, forget, count } = routes.operations;
  expect(forget).toMatchObject({
    status: 204,
    keyed: false,
    repeat: 'here',
    required: [],
    access: undefined,
  });
  expect([greet?.status, count?.status]).toEqual([200, 200]);
  expect(greet && paramsSchema(greet)).toMatchObject({
    required: ['userId', 'language'],
    properties: { language: { type: 'string', pattern: '^[a-z]{2}$' }, userId: { type: 'string' } },
  });
  expect(greet && outputSchema(greet)).toEqual({
    type: 'object',
    required: ['greeting'],
    additionalProperties: false,
    properties: { greeting: { type: 'string' }, note: { type: 'string' } },
  });
});

test('a page is made of the answer, and the contract names it beside the JSON and the refusals', () => {
  const page = (title: string) => ({ language: 'en', title, body: markup`<p>${title}</p>` });
  const links = defineRoutes({
    name: 'links',
    description: 'Links of mails',
    operations: {
      openLink: {
        method: 'GET',
        path: '/links/{linkId}',
        summary: 'Open a link',
        output: { opened: { type: 'boolean' } },
        errors: { no_link: { title: 'No such link', status: 404 } },
        page: {
          answered: ({ opened }, { params }) => {
            const is: boolean = opened;
            // @ts-expect-error Not a parameter of the path.
            const other: unknown = params.other;
            return page(`${params.linkId} ${String(is)} ${String(other)}`);
          },
          refused: () => page('nothing'),
        },
        handle: () => ({ opened: true }),
      },
    },
  });
  const { responses } = routePaths(links, [])['/links/{linkId}']?.['get'] as unknown as {
    responses: Record<string, { content: object }>;
  };
  const paged = Object.keys(responses).filter((code) => 'text/html' in (responses[code]?.content ?? {}));
  expect(paged).toEqual(['200', '400', '404']);
});

test('a page without its two functions is refused', () => {
  const half = { answered: () => ({}) } as never;
  const declare = () =>
    defineRoutes({
      name: 'links',
      description: 'Links of mails',
      operations: {
        openLink: { method: 'GET', path: '/links', summary: 'Open', page: half, handle: () => undefined },
      },
    });
  expect(declare).toThrow('must be two functions, answered and refused');
});
