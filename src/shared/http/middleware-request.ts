/** What our middleware reads and writes of middy's request. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { InvocationContext } from '../ports/cloud.ts';

export interface MiddlewareRequest {
  event: APIGatewayProxyEventV2;
  context: InvocationContext;
  /** Absent until something has answered. */
  response: APIGatewayProxyStructuredResultV2 | null | undefined;
  error: Error | null;
}

const REQUEST_ID = /^[\w.~:-]{1,128}$/;

/** The id that a request is known by: the client's own when it is well formed, else the platform's. */
export function requestIdOf({ event, context }: Pick<MiddlewareRequest, 'event' | 'context'>): string {
  const offered = event.headers['x-request-id'];
  return offered !== undefined && REQUEST_ID.test(offered) ? offered : context.awsRequestId;
}
