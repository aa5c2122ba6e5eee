/** An answer as the platforms take it. */
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { HttpReply } from './route.ts';

export function toResult({ status, body, text = '', headers }: HttpReply): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode: status,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? text : JSON.stringify(body),
  };
}

/** That of HEAD: states the length of what is not sent. */
export function withoutBody(result: APIGatewayProxyStructuredResultV2): APIGatewayProxyStructuredResultV2 {
  const bytes = Buffer.byteLength(result.body ?? '');
  if (bytes === 0) return result;
  return { ...result, headers: { ...result.headers, 'content-length': String(bytes) }, body: '' };
}
