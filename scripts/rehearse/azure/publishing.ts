/**
 * The deployment service of a Flex Consumption app: takes a zip, and tells how far it is.
 * @see https://learn.microsoft.com/azure/azure-functions/functions-deployment-technologies#one-deploy
 */
import { filesIn } from '@tandem-clouds/local/zip';
import type { Answer, Request } from './http.ts';

/** As the service numbers them (https://github.com/projectkudu/kudu/wiki/REST-API). */
const BUILDING = 1;
const FAILED = 3;
const SUCCEEDED = 4;

export interface Publishing {
  /** Functions of each app, by its name: those that the package's entry point registers. */
  readonly published: Map<string, readonly string[]>;
  /** What goes wrong: the upload is answered with 500, or the deployment ends in failure. Undefined: nothing. */
  fault: 'upload' | 'deployment' | undefined;
  /** Polls until the deployment at hand ends. */
  pollsLeft: number;
}

const REASON = 'The package could not be unpacked: no space left on device.';

export function answerPublishing(request: Request, publishing: Publishing): Answer {
  const [app = ''] = request.host.split('.');
  if (request.method === 'POST' && request.path === '/api/publish') return publish(request, app, publishing);
  if (request.method !== 'GET' || request.path !== '/api/deployments/rehearsal') return { status: 404 };
  publishing.pollsLeft -= 1;
  if (publishing.pollsLeft > 0) return { status: 200, body: { status: BUILDING } };
  return publishing.fault === 'deployment'
    ? { status: 200, body: { status: FAILED, status_text: REASON } }
    : { status: 200, body: { status: SUCCEEDED } };
}

function publish({ query, type, body }: Request, app: string, publishing: Publishing): Answer {
  if (publishing.fault === 'upload') return { status: 500, body: 'The service is restarting.' };
  if (type !== 'application/zip' || query.get('RemoteBuild') !== 'false') {
    return { status: 415, body: 'a zip that was built already is expected' };
  }
  const files = filesIn(body);
  if (!files.has('host.json')) return { status: 400, body: 'the package has no host.json at its root' };
  const functions = registeredBy(files);
  if (functions.length === 0) return { status: 400, body: 'the package registers no function' };
  if (publishing.fault === undefined) publishing.published.set(app, functions);
  publishing.pollsLeft = 2;
  return { status: 202, body: 'rehearsal' };
}

/** Names of the registrations as the bundle spells them: to run it takes the app's settings. */
function registeredBy(files: ReadonlyMap<string, Buffer>): string[] {
  const bundle = files.get('app.cjs')?.toString('utf8') ?? '';
  return [...bundle.matchAll(/\.generic\("([\w-]+)",\{trigger:/g)].map(([, name = '']) => name);
}
