/**
 * The fault hooks over HTTP: `GET`, `PUT` and `DELETE /_tandem/faults` on a stand-in.
 * A drill in another process, or a person with `curl`, turns faults on and off with it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { parseFaultRules, type Faults } from './faults.ts';

export const FAULTS_PATH = '/_tandem/faults';

/** Answers a control request; false when the request is not one. */
export async function handleControl(
  request: IncomingMessage,
  response: ServerResponse,
  faults: Faults,
): Promise<boolean> {
  if (request.url !== FAULTS_PATH) return false;
  const answer = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  try {
    switch (request.method) {
      case 'GET':
        answer(200, faults.rules);
        break;
      case 'PUT':
        faults.set(parseFaultRules(JSON.parse(await text(request))));
        answer(200, faults.rules);
        break;
      case 'DELETE':
        faults.clear();
        answer(200, []);
        break;
      case undefined:
      default:
        response.setHeader('allow', 'GET, PUT, DELETE');
        answer(405, { message: `${request.method ?? ''} is not supported here` });
    }
  } catch (error) {
    answer(400, { message: error instanceof Error ? error.message : String(error) });
  }
  return true;
}
