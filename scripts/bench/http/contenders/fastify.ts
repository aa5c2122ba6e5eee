/**
 * Fastify with `@fastify/aws-lambda`; on Azure, for which there is no maintained adapter, `inject` is called directly, which is what the Lambda adapter does too.
 */
import awsLambdaFastify from '@fastify/aws-lambda';
import Fastify from 'fastify';
import { userCreate } from '../../../../src/shared/generated/validators.js';
import { createUser, type NewUser, OTHER_ROUTES } from '../fixture.ts';
import { stackHeaders } from '../stack-headers.ts';

const HEADERS = stackHeaders();

interface PlatformIds {
  readonly awsLambda?: { readonly context: { readonly awsRequestId: string } };
}

const app = Fastify({ logger: false });
app.setValidatorCompiler(() => userCreate);
app.route({
  method: 'POST',
  url: '/users',
  schema: { body: {} },
  handler(request, reply) {
    const { awsLambda } = request as unknown as PlatformIds;
    const { status, body, headers } = createUser(request.body as NewUser);
    const requestId = request.headers['x-request-id'] ?? awsLambda?.context.awsRequestId ?? request.id;
    return reply
      .code(status)
      .headers({ ...HEADERS, ...headers, 'content-type': 'application/json', 'x-request-id': requestId })
      .send(body);
  },
});
for (const { method, path } of OTHER_ROUTES) {
  app.route({
    method,
    url: path.replace('{userId}', ':userId'),
    handler: (_request, reply) => reply.code(204).send(),
  });
}

export const lambda: unknown = awsLambdaFastify(app);

export async function azure(
  request: { method: 'POST'; url: string; headers: Headers; text(): Promise<string> },
  { invocationId }: { invocationId: string },
): Promise<{ status: number; headers: unknown; body: string }> {
  const { method, url, headers } = request;
  const response = await app.inject({
    method,
    url,
    payload: await request.text(),
    headers: { 'x-request-id': invocationId, ...Object.fromEntries(headers) },
  });
  return { status: response.statusCode, headers: response.headers, body: response.payload };
}
