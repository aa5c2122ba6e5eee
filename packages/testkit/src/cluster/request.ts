/** One HTTP request of a client, and what it makes of the answer. */
import { AppError } from '@tandem-clouds/replication/errors';
import type { Json } from '@tandem-clouds/replication/json';
import {
  type Attempt,
  type OperationKind,
  parseToken,
  type Token,
  tokenText,
  type WriteResult,
} from '../history/client-log.ts';

/** API Gateway gives up after 30 s; a client of today sooner. */
const RESPONSE_WITHIN_MS = 10_000;

/** What a client asks for. */
export interface Request {
  readonly id: string;
  readonly kind: OperationKind;
  readonly key?: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: Readonly<Record<string, Json>>;
  readonly fields: Readonly<Record<string, Json>>;
  readonly idempotencyKey?: string;
  readonly durable?: boolean;
  readonly session?: Token;
}

/** An endpoint: a site's own, or the edge's. */
export interface Endpoint {
  readonly name: string;
  readonly url: string;
}

/** Sends it and waits for the answer. Never rejects. */
export async function send(request: Request, endpoint: Endpoint): Promise<Attempt> {
  const { id, kind, key, fields, session, durable } = request;
  const requested = {
    id,
    kind,
    fields,
    via: endpoint.name,
    startMs: Date.now(),
    ...(key !== undefined && { key }),
    ...(session && { carried: session }),
  };
  const preferred = durable === true ? { durability: 'requested' as const } : {};
  try {
    const response = await fetch(new URL(request.path, endpoint.url), {
      method: request.method,
      headers: headersOf(request),
      ...(request.body && { body: JSON.stringify(request.body) }),
      signal: AbortSignal.timeout(RESPONSE_WITHIN_MS),
    });
    const text = await response.text();
    return { ...requested, ...preferred, endMs: Date.now(), ...readResponse(kind, response, text) };
  } catch (error) {
    const { refused, problem } = explain(error);
    const result: WriteResult = refused ? 'refused' : 'unknown';
    return { ...requested, ...preferred, endMs: Date.now(), result, status: 0, replayed: false, problem };
  }
}

function headersOf({ body, idempotencyKey, durable, session }: Request): Record<string, string> {
  return {
    ...(body && { 'content-type': 'application/json' }),
    ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    ...(durable === true && { prefer: 'durability=all' }),
    ...(session && { 'x-tandem-session': tokenText(session) }),
  };
}

type Reply = Pick<Attempt, 'result' | 'status' | 'replayed' | 'site' | 'token' | 'shown' | 'durability'>;

function readResponse(kind: OperationKind, response: Response, text: string): Reply & { problem?: string } {
  const { status, headers, ok } = response;
  const site = headers.get('x-tandem-site');
  const token = headers.get('x-tandem-session');
  const applied = headers.get('preference-applied') === 'durability=all';
  return {
    status,
    result: resultOf(kind, status),
    replayed: headers.get('idempotency-replayed') === 'true',
    ...(site !== null && { site }),
    ...(token !== null && { token: parseToken(token) }),
    ...(ok && text !== '' && { shown: JSON.parse(text) as Record<string, Json> }),
    ...(applied && { durability: 'applied' as const }),
    ...(!ok && { problem: text.slice(0, 300) }),
  };
}

/** After a 5xx a write may stand. That a record is not there is an answer to a read. */
function resultOf(kind: OperationKind, status: number): WriteResult {
  if (status < 300 || (kind === 'read' && status === 404)) return 'acknowledged';
  return status < 500 ? 'refused' : 'unknown';
}

/** Nobody listened: certain that nothing happened. Everything else is not. */
function explain(error: unknown): { refused: boolean; problem: string } {
  const { message, name, cause } = error as Partial<Error & { cause: { code?: string; message?: string } }>;
  const problem =
    cause?.code ?? cause?.message ?? (name === 'TimeoutError' ? name : message) ?? String(error);
  return { refused: cause?.code === 'ECONNREFUSED', problem };
}

/** Somebody who was asked did not answer, or not well: then nothing is known. */
export class NoResponseError extends Error {
  override readonly name = 'NoAnswerError';
}

/** Asks for JSON. @throws NoAnswerError */
export async function queryJson(url: URL, withinMs: number): Promise<unknown> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(withinMs) });
    if (response.ok) return await response.json();
    throw new Error(`HTTP ${response.status}`);
  } catch (cause) {
    throw new NoResponseError(`${url.href}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** A part that did not answer says nothing; a mistake of ours must not pass for that. */
export function isSilence(error: unknown): boolean {
  return error instanceof AppError || error instanceof NoResponseError;
}
