/** Hono on both platforms. */
import type { Context, Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import type { Bindings } from './hono-app.ts';

type AppContext = Context<{ Bindings: Bindings }>;
type Build = (requestIdOf: (c: AppContext) => string) => Hono<{ Bindings: Bindings }>;

/** With Hono's own adapter. The request's id is the client's, or the platform's. */
export function honoOnLambda(build: Build): unknown {
  const app = build((c) => {
    const { lambdaContext } = c.env as unknown as { lambdaContext: { awsRequestId: string } };
    return c.req.header('x-request-id') ?? lambdaContext.awsRequestId;
  });
  // Its successor, @hono/aws-lambda, holds the same code under another name.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  return handle(app);
}

/**
 * Hono has no adapter of its own for Azure Functions. The community's (`@marplex/hono-azurefunc-adapter`, for the
 * v4 model) makes a `Request` of the worker's request, calls `fetch`, and copies status, headers and body back; so
 * does this.
 */
export function honoOnAzure(build: Build): unknown {
  const app = build((c) => c.req.header('x-request-id') ?? c.env.requestId);
  return async (
    request: { method: string; url: string; headers: Headers; text(): Promise<string> },
    { invocationId }: { invocationId: string },
  ) => {
    const { method, url, headers } = request;
    const response = await app.fetch(new Request(url, { method, headers, body: await request.text() }), {
      requestId: invocationId,
    });
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.text(),
    };
  };
}
