/**
 * The deployment service of a Flex Consumption app: takes a zip, and tells how far it is.
 * @see https://learn.microsoft.com/azure/azure-functions/functions-deployment-technologies#one-deploy
 */
import type { Request, Response } from './http.ts';

/** As the service numbers them (https://github.com/projectkudu/kudu/wiki/REST-API). */
const BUILDING = 1;
const FAILED = 3;
const SUCCEEDED = 4;

/** How the service understands a package: it unpacks it and runs its entry point, which nothing here can. */
export interface PackageReader {
  /** The files of a zip by name; none when it is no zip. */
  readonly unpack: (zip: Buffer) => ReadonlyMap<string, Buffer>;
  /** Names of the functions that the entry point registers. */
  readonly functionsIn: (files: ReadonlyMap<string, Buffer>) => readonly string[];
}

export interface Publishing extends PackageReader {
  /** Functions of each app, by its name. */
  readonly published: Map<string, readonly string[]>;
  /** What goes wrong: the upload is answered with 500, or the deployment ends in failure. Undefined: nothing. */
  fault: 'upload' | 'deployment' | undefined;
  /** Polls until the deployment at hand ends. */
  pollsLeft: number;
}

const ID = 'the-only-one';
const REASON = 'The package could not be unpacked: no space left on device.';

export function respondToPublishing(request: Request, publishing: Publishing): Response {
  const [app = ''] = request.host.split('.');
  if (request.method === 'POST' && request.path === '/api/publish') return publish(request, app, publishing);
  if (request.method !== 'GET' || request.path !== `/api/deployments/${ID}`) return { status: 404 };
  publishing.pollsLeft -= 1;
  if (publishing.pollsLeft > 0) return { status: 200, body: { status: BUILDING } };
  return publishing.fault === 'deployment'
    ? { status: 200, body: { status: FAILED, status_text: REASON } }
    : { status: 200, body: { status: SUCCEEDED } };
}

function publish({ query, type, body }: Request, app: string, publishing: Publishing): Response {
  if (publishing.fault === 'upload') return { status: 500, body: 'The service is restarting.' };
  if (type !== 'application/zip' || query.get('RemoteBuild') !== 'false') {
    return { status: 415, body: 'a zip that was built already is expected' };
  }
  const files = publishing.unpack(body);
  if (!files.has('host.json')) return { status: 400, body: 'the package has no host.json at its root' };
  const functions = publishing.functionsIn(files);
  if (functions.length === 0) return { status: 400, body: 'the package registers no function' };
  if (publishing.fault === undefined) publishing.published.set(app, functions);
  publishing.pollsLeft = 2;
  return { status: 202, body: ID };
}
