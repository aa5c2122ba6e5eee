/** The least that can be done: parse, validate, answer with status and body. No routing, no headers, no errors. */
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { userCreate } from '../../../../src/shared/generated/validators.js';
import { createUser, type NewUser } from '../fixture.ts';

function response(text: string): { status: number; body: string } {
  const input: unknown = JSON.parse(text);
  if (!userCreate(input)) return { status: 400, body: '' };
  const { status, body } = createUser(input as NewUser);
  return { status, body: JSON.stringify(body) };
}

// eslint-disable-next-line @typescript-eslint/require-await -- both platforms take a promise, and a bare function is async
export async function lambda({
  body = '',
}: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> {
  const responded = response(body);
  return { statusCode: responded.status, body: responded.body };
}

export async function azure(request: { text(): Promise<string> }): Promise<{ status: number; body: string }> {
  return response(await request.text());
}
