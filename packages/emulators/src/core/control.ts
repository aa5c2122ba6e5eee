/**
 * The fault hooks over HTTP: `GET`, `PUT` and `DELETE /_tandem/faults` on an emulator.
 * A drill in another process, or a person with `curl`, turns faults on and off with it.
 *
 * Invariant: nobody but this machine's user controls an emulator, or reads or writes what is in it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Faults, parseFaultRules } from './faults.ts';
import { bodyText, CONTROL_BODY_BYTES_MAX, controlStatus } from './request-body.ts';
import { whyForeign } from './this-machine.ts';

export const FAULTS_PATH = '/_tandem/faults';

/** What only the project's own tools ask for, directly. */
const CONTROL_PREFIX = '/_tandem/';

/**
 * Answers a request that a page in a browser may have sent (`this-machine.ts`); false when it is from this machine.
 * @param options.relayed A drill may put a relay with another port in front of the service that shares the port.
 */
export function refuseForeign(
  request: IncomingMessage,
  response: ServerResponse,
  { relayed = false } = {},
): boolean {
  const anyPort = relayed && request.url?.startsWith(CONTROL_PREFIX) !== true;
  const message = whyForeign(request, { anyPort });
  if (message === undefined) return false;
  // What is left of the body must not be taken for the next request.
  response.writeHead(403, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify({ message }));
  return true;
}

/** Answers a control request; false when the request is not one. */
export async function handleControl(
  request: IncomingMessage,
  response: ServerResponse,
  faults: Faults,
): Promise<boolean> {
  if (request.url !== FAULTS_PATH) return false;
  const reply = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  try {
    switch (request.method) {
      case 'GET':
        reply(200, faults.rules);
        break;
      case 'PUT':
        faults.set(parseFaultRules(JSON.parse(await bodyText(request, CONTROL_BODY_BYTES_MAX))));
        reply(200, faults.rules);
        break;
      case 'DELETE':
        faults.clear();
        reply(200, []);
        break;
      case undefined:
      default:
        response.setHeader('allow', 'GET, PUT, DELETE');
        reply(405, { message: `${request.method ?? ''} is not supported here` });
    }
  } catch (error) {
    reply(controlStatus(error), { message: error instanceof Error ? error.message : String(error) });
  }
  return true;
}
