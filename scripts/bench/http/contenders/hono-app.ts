/**
 * Hono applications around the fixture, with the headers that our stack answers with.
 *
 * Two of them, because there are two ways to set headers: by a middleware, which is how Hono's own `cors`,
 * `secureHeaders` and `requestId` do it, and all at once in the handler, which is faster, and
 * has to be thought of on every route.
 */
import { type Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { userCreate } from '../../../../src/shared/generated/validators.js';
import { createUser, type NewUser, OTHER_ROUTES } from '../fixture.ts';
import { stackHeaders } from '../stack-headers.ts';

const HEADERS = stackHeaders();
const HEADER_LIST = Object.entries(HEADERS);

/** What the adapters pass to `fetch` besides the request. */
export interface Bindings {
  readonly requestId: string;
}
type App = Hono<{ Bindings: Bindings }>;
type AppContext = Context<{ Bindings: Bindings }>;

/** Headers set by a middleware, after the handler. */
export function honoWithMiddleware(requestIdOf: (c: AppContext) => string): App {
  const app: App = new Hono();
  app.use(async (c, next) => {
    await next();
    for (const [name, value] of HEADER_LIST) c.res.headers.set(name, value);
    c.res.headers.set('x-request-id', requestIdOf(c));
  });
  app.post('/users', (c) => create(c, {}));
  return withOtherRoutes(app);
}

/** Headers given with the body, in one call. */
export function honoInOneGo(requestIdOf: (c: AppContext) => string): App {
  const app: App = new Hono();
  app.post('/users', (c) => create(c, { ...HEADERS, 'x-request-id': requestIdOf(c) }));
  return withOtherRoutes(app);
}

async function create(c: AppContext, more: Readonly<Record<string, string>>): Promise<Response> {
  const input: unknown = await c.req.json();
  if (!userCreate(input)) return c.json({ code: 'invalid' }, 400);
  const { status, body, headers } = createUser(input as NewUser);
  return c.json(body, status as ContentfulStatusCode, { ...headers, ...more });
}

function withOtherRoutes(app: App): App {
  for (const { method, path } of OTHER_ROUTES) {
    app.on(method, path.replace('{userId}', ':userId'), (c) => c.body(null, 204));
  }
  return app;
}
