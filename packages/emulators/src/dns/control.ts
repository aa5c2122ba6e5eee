/**
 * The control interface: JSON over HTTP, on the loopback address only.
 *
 *     GET /v1/zone       { revision, zone }, with the revision as ETag
 *     PUT /v1/zone       replaces it; If-Match names the revision that it is based on, and 412 says it was another
 *     GET /v1/health     { checks, lost }
 *     GET /v1/counters   { queries, chosen }
 *
 * Invariant: a change is based on the revision that is served, or does not happen.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import http from 'node:http';
import { bodyText } from '../core/request-body.ts';
import { whyForeign } from '../core/this-machine.ts';
import { CONTROL_BODY_BYTES_MAX } from './bounds.ts';
import type { CheckReport } from './health-checker.ts';
import type { Counters } from './responder.ts';
import { type Zone, ZoneError } from './zone.ts';

export const ZONE_PATH = '/v1/zone';
export const HEALTH_PATH = '/v1/health';
export const COUNTERS_PATH = '/v1/counters';

export interface ZoneState {
  readonly revision: number;
  readonly zone: Zone;
}

export interface HealthReport {
  /** By key. */
  readonly checks: Readonly<Record<string, CheckReport>>;
  /** Records of which all targets are unhealthy, so that all are served. */
  readonly lost: readonly string[];
}

export interface CountersReport {
  readonly queries: Counters;
  /** Answers by record and site, since the zone last changed. */
  readonly chosen: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** What the interface shows and changes. */
export interface Controlled {
  state(): ZoneState;
  /** Returns the new revision; undefined when `base` is not the one that is served. @throws ZoneError. */
  replace(document: unknown, base: number): number | undefined;
  health(): HealthReport;
  counters(): CountersReport;
}

/** An answer other than 200. */
class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly errors: readonly string[];

  constructor(status: number, message: string, errors: readonly string[] = []) {
    super(message);
    this.status = status;
    this.errors = errors;
  }
}

export function createControl(controlled: Controlled): http.Server {
  return http.createServer((request, response) => {
    void answer(controlled, request, response).catch((error: unknown) => {
      const refusal =
        error instanceof Refusal
          ? error
          : new Refusal(500, error instanceof Error ? error.message : 'Something is wrong with the server');
      if (refusal !== error) process.stderr.write(`control: ${String(error)}\n`);
      const { status, message: title, errors } = refusal;
      // What is left of the body must not be taken for the next request.
      response.writeHead(status, { 'content-type': 'application/problem+json', connection: 'close' });
      response.end(
        JSON.stringify({ type: 'about:blank', title, status, ...(errors.length > 0 && { errors }) }),
      );
    });
  });
}

async function answer(
  controlled: Controlled,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const foreign = whyForeign(request);
  if (foreign !== undefined) throw new Refusal(403, foreign);
  const send = (body: unknown, revision?: number): void => {
    const etag = revision === undefined ? {} : { etag: `"${revision}"` };
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store', ...etag });
    response.end(JSON.stringify(body));
  };
  const call = `${request.method ?? ''} ${request.url ?? ''}`;
  switch (call) {
    case `GET ${ZONE_PATH}`: {
      const state = controlled.state();
      send(state, state.revision);
      break;
    }
    case `PUT ${ZONE_PATH}`: {
      const revision = await replace(controlled, request);
      send({ revision }, revision);
      break;
    }
    case `GET ${HEALTH_PATH}`:
      send(controlled.health());
      break;
    case `GET ${COUNTERS_PATH}`:
      send(controlled.counters());
      break;
    default:
      throw new Refusal(404, `There is no ${call}`);
  }
}

async function replace(controlled: Controlled, request: IncomingMessage): Promise<number> {
  const base = /^"(\d+)"$/.exec(request.headers['if-match'] ?? '')?.[1];
  if (base === undefined)
    throw new Refusal(428, 'If-Match has to name the revision that the change is based on');
  if (request.headers['content-type'] !== 'application/json')
    throw new Refusal(415, 'The zone is application/json');
  const document = await readJson(request);
  try {
    const revision = controlled.replace(document, Number(base));
    if (revision !== undefined) return revision;
  } catch (error) {
    if (!(error instanceof ZoneError)) throw error;
    throw new Refusal(422, 'The zone cannot be served', error.problems);
  }
  throw new Refusal(412, `The zone has changed since revision ${base}`);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const refusal = (): Error => new Refusal(413, `A zone has ${CONTROL_BODY_BYTES_MAX} bytes at most`);
  const text = await bodyText(request, CONTROL_BODY_BYTES_MAX, refusal);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Refusal(400, 'The body is not JSON');
  }
}
