/**
 * The part of Resource Manager that a deployment and a removal call: resource groups, deployments of templates, and a
 * look at a function app. What takes time there takes a few polls here. In one file, for it is one table of routes.
 * @see https://learn.microsoft.com/rest/api/resources/
 * @see https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
 */
import {
  isServerless,
  patchedSite,
  propertiesOf,
  putThroughput,
  type Throughput,
  throughputReply,
} from './capacity.ts';
import type { DeployedResource } from './evaluate-template.ts';
import { type ArmError, armError, type Request, type Response } from './http.ts';
import { propertyRefusal } from './property-rules.ts';
import { type DeploymentResult, make, type Refuses, type Sent, validate } from './template-deployment.ts';

/** Polls until an operation ends. */
const POLLS = 2;
/** In seconds: what a client is advised to wait between polls. */
const SOON = { 'retry-after': '1' };

/** What clients of 2019 speak, all of which Azure still answers. */
const OLD_VERSIONS = ['2019-05-01', '2016-08-01', '2018-02-01', '2018-11-01'];
/** And what Microsoft.Web and Microsoft.DocumentDB speak now. */
const API_VERSIONS = [...OLD_VERSIONS, '2024-04-01', '2024-11-15'];

const VAULT = 'Microsoft.KeyVault/vaults';

interface Deployment {
  readonly name: string;
  readonly sent: Sent;
  readonly result: DeploymentResult;
  readonly timestamp: string;
  pollsLeft: number;
}

export interface Group {
  readonly name: string;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly resources: Map<string, DeployedResource>;
  readonly deployments: Map<string, Deployment>;
  /** Polls until it is gone; undefined unless it is being deleted. */
  deleting?: number;
}

export interface Manager {
  readonly subscription: string;
  readonly groups: Map<string, Group>;
  /** Names of vaults that were deleted, which Azure keeps for days unless they are purged. */
  readonly softDeleted: Set<string>;
  /** What Azure refuses to make besides; nothing by default. */
  refuses: Refuses;
  /** What Azure refuses before it begins; nothing by default. */
  refusesAtOnce: (resource: DeployedResource) => ArmError | undefined;
  /** Container (`account/database/container`) → its throughput by autoscale. */
  readonly throughputs: Map<string, Throughput>;
  /** What a container may have at most. */
  throughputMax: number;
  /** Names of the functions of an app that was published. */
  functionsOf: (app: string) => readonly string[];
}

type Route = readonly [method: string, pattern: RegExp, answer: (context: Context) => Response];

interface Context {
  readonly manager: Manager;
  readonly request: Request;
  /** Of the path; the first is the subscription, the second the group. */
  readonly names: readonly string[];
  /** The group of the path. */
  readonly group: Group | undefined;
}

const IN_GROUP = String.raw`^/subscriptions/([^/]+)/resourcegroups/([^/]+)`;
const DEPLOYMENTS = String.raw`${IN_GROUP}/providers/microsoft\.resources/deployments`;
const SITE = String.raw`${IN_GROUP}/providers/microsoft\.web/sites/([^/]+)`;
const ACCOUNT = String.raw`${IN_GROUP}/providers/microsoft\.documentdb/databaseaccounts/([^/]+)`;
const THROUGHPUT = String.raw`${ACCOUNT}/sqldatabases/([^/]+)/containers/([^/]+)/throughputsettings/default`;
const at = (pattern: string): RegExp => new RegExp(`${pattern}/?$`, 'i');

const ROUTES: readonly Route[] = [
  ['GET', at(IN_GROUP), ({ group }) => (group ? { status: 200, body: describe(group) } : noGroup())],
  ['PUT', at(IN_GROUP), putGroup],
  ['DELETE', at(IN_GROUP), deleteGroup],
  ['GET', at('^/subscriptions/([^/]+)/operationresults/([^/]+)'), pollGroup],
  ['GET', at(DEPLOYMENTS), withGroup(listDeployments)],
  ['PUT', at(`${DEPLOYMENTS}/([^/]+)`), withGroup(putDeployment)],
  ['GET', at(`${DEPLOYMENTS}/([^/]+)`), withGroup(getDeployment)],
  ['DELETE', at(`${DEPLOYMENTS}/([^/]+)`), withGroup(deleteDeployment)],
  ['POST', at(`${DEPLOYMENTS}/([^/]+)/exporttemplate`), withGroup(exportTemplate)],
  ['GET', at(`${DEPLOYMENTS}/([^/]+)/operationstatuses/[^/]+`), withGroup(pollDeployment)],
  ['GET', at(SITE), withGroup(getSite)],
  ['PATCH', at(SITE), withGroup(patchSite)],
  ['GET', at(`${SITE}/functions`), withGroup(getFunctions)],
  ['GET', at(ACCOUNT), withGroup(getAccount)],
  [
    'GET',
    at(THROUGHPUT),
    withGroup(ofContainer((one, { manager }) => throughputReply(one, manager.throughputMax))),
  ],
  [
    'PUT',
    at(THROUGHPUT),
    withGroup(
      ofContainer((one, { manager, request }) => putThroughput(one, json(request), manager.throughputMax)),
    ),
  ],
];

export function respondAsManager(request: Request, manager: Manager): Response {
  const version = request.query.get('api-version') ?? '';
  if (!API_VERSIONS.includes(version)) {
    const message = `The api-version '${version}' is invalid. The supported versions are '${API_VERSIONS.join(',')}'.`;
    return armError(400, 'InvalidApiVersionParameter', message);
  }
  for (const [method, pattern, response] of ROUTES) {
    const [, ...names] = pattern.exec(request.path) ?? [];
    if (method !== request.method || names.length === 0) continue;
    if (names[0] !== manager.subscription) {
      const message = `The subscription '${names[0] ?? ''}' could not be found.`;
      return armError(404, 'SubscriptionNotFound', message);
    }
    const group = manager.groups.get((names[1] ?? '').toLowerCase());
    return response({ manager, request, names, group });
  }
  return armError(404, 'InvalidResourceType', `the emulator knows no ${request.method} ${request.path}`);
}

type InGroup = (context: Context & { readonly group: Group }) => Response;

function withGroup(response: InGroup): (context: Context) => Response {
  return (context) => (context.group ? response({ ...context, group: context.group }) : noGroup());
}

const noGroup = (): Response =>
  armError(404, 'ResourceGroupNotFound', 'The resource group could not be found.');
const json = ({ body }: Request): unknown => JSON.parse(body.toString());

function describe({ name, location, tags, deleting }: Group): object {
  const provisioningState = deleting === undefined ? 'Succeeded' : 'Deleting';
  return { id: `/resourceGroups/${name}`, name, location, tags, properties: { provisioningState } };
}

function putGroup({ manager, request, names, group }: Context): Response {
  const { location, tags = {} } = json(request) as {
    location?: unknown;
    tags?: Record<string, string>;
  };
  const name = names[1] ?? '';
  if (typeof location !== 'string' || !/^[-\w.()]{1,90}$/.test(name)) {
    return armError(400, 'LocationRequired', `'${name}' has no location, or is no name of a group`);
  }
  if (group?.deleting !== undefined) return armError(409, 'ResourceGroupBeingDeleted', `${name} is going`);
  const content: Pick<Group, 'resources' | 'deployments'> = group ?? {
    resources: new Map(),
    deployments: new Map(),
  };
  const put: Group = { name, location, tags, resources: content.resources, deployments: content.deployments };
  manager.groups.set(name.toLowerCase(), put);
  return { status: group === undefined ? 201 : 200, body: describe(put) };
}

function deleteGroup({ manager, names, group }: Context): Response {
  if (group === undefined) return noGroup();
  group.deleting ??= POLLS;
  const location = `https://management.azure.com/subscriptions/${manager.subscription}/operationresults/${names[1] ?? ''}?api-version=2019-05-01`;
  return { status: 202, headers: { location, ...SOON } };
}

function pollGroup({ manager, names }: Context): Response {
  const group = manager.groups.get((names[1] ?? '').toLowerCase());
  if (group?.deleting === undefined) return { status: 200 };
  group.deleting -= 1;
  if (group.deleting > 0) return { status: 202, headers: SOON };
  for (const { type, name } of group.resources.values()) {
    if (type === VAULT) manager.softDeleted.add(name);
  }
  manager.groups.delete(group.name.toLowerCase());
  return { status: 200 };
}

function putDeployment({ manager, request, group, names }: Parameters<InGroup>[0]): Response {
  const { properties: sent } = json(request) as { properties: Sent };
  const name = names[2] ?? '';
  const { mistakes, resources } = validate(sent);
  if (mistakes.length > 0) {
    return armError(
      400,
      'InvalidTemplate',
      `Deployment template validation failed: '${mistakes.join("'; '")}'.`,
    );
  }
  const refused = resources.filter(({ made }) => made).flatMap((one) => manager.refusesAtOnce(one) ?? []);
  if (refused.length > 0) {
    const message = `The template deployment '${name}' is not valid according to the validation procedure. See inner errors for details.`;
    return armError(400, 'InvalidTemplateDeployment', message, refused);
  }
  const deployment: Deployment = {
    name,
    sent,
    result: make(resources, (one) => keptName(manager, one) ?? propertyRefusal(one) ?? manager.refuses(one)),
    timestamp: new Date().toISOString(),
    pollsLeft: POLLS,
  };
  group.deployments.set(name.toLowerCase(), deployment);
  const url = `https://management.azure.com${request.path}/operationStatuses/1?api-version=2019-05-01`;
  return { status: 201, headers: { 'azure-asyncoperation': url, ...SOON }, body: report(deployment) };
}

/** @see https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview */
function keptName({ softDeleted }: Manager, { type, name }: DeployedResource): ArmError | undefined {
  if (type !== VAULT || !softDeleted.has(name)) return undefined;
  const message =
    'A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault.';
  return { code: 'ConflictError', message };
}

function report({ name, sent, result, timestamp, pollsLeft }: Deployment): object {
  const declared = sent.template.parameters;
  const parameters = Object.entries(declared).map(([key, { type, defaultValue }]) => [
    key,
    {
      type: `${type.charAt(0).toUpperCase()}${type.slice(1)}`,
      value: sent.parameters[key]?.value ?? defaultValue,
    },
  ]);
  const ended = pollsLeft > 0 ? 'Running' : result.error ? 'Failed' : 'Succeeded';
  return {
    id: `/deployments/${name}`,
    name,
    properties: {
      mode: sent.mode,
      timestamp,
      parameters: Object.fromEntries(parameters) as object,
      provisioningState: ended,
      ...(ended === 'Failed' && { error: result.error }),
    },
  };
}

function pollDeployment({ group, names }: Parameters<InGroup>[0]): Response {
  const deployment = group.deployments.get((names[2] ?? '').toLowerCase());
  if (deployment === undefined)
    return armError(404, 'DeploymentNotFound', 'The deployment could not be found.');
  const { result } = deployment;
  deployment.pollsLeft -= 1;
  if (deployment.pollsLeft > 0) return { status: 200, headers: SOON, body: { status: 'Running' } };
  for (const resource of result.made) group.resources.set(resource.id, resource);
  if (result.error) return { status: 200, body: { status: 'Failed', error: result.error } };
  return { status: 200, body: { status: 'Succeeded' } };
}

function listDeployments({ group }: Parameters<InGroup>[0]): Response {
  return { status: 200, body: { value: [...group.deployments.values()].map(report) } };
}

function getDeployment({ group, names }: Parameters<InGroup>[0]): Response {
  const deployment = group.deployments.get((names[2] ?? '').toLowerCase());
  return deployment
    ? { status: 200, body: report(deployment) }
    : armError(404, 'DeploymentNotFound', 'The deployment could not be found.');
}

function deleteDeployment({ group, names }: Parameters<InGroup>[0]): Response {
  group.deployments.delete((names[2] ?? '').toLowerCase());
  return { status: 204 };
}

function exportTemplate({ group, names }: Parameters<InGroup>[0]): Response {
  const deployment = group.deployments.get((names[2] ?? '').toLowerCase());
  return { status: 200, body: { template: deployment?.sent.template } };
}

function getSite(context: Parameters<InGroup>[0]): Response {
  const site = resourceOf(context, 'Microsoft.Web/sites');
  return site === undefined
    ? notFound(context, 'Microsoft.Web/sites')
    : { status: 200, body: siteBody(context, site) };
}

function patchSite(context: Parameters<InGroup>[0]): Response {
  const site = resourceOf(context, 'Microsoft.Web/sites');
  if (site === undefined) return notFound(context, 'Microsoft.Web/sites');
  const patched = patchedSite(site, json(context.request));
  if ('status' in patched) return patched;
  context.group.resources.set(site.id, patched);
  return { status: 200, body: siteBody(context, patched) };
}

function siteBody({ group, names }: Parameters<InGroup>[0], site: DeployedResource): object {
  const name = names[2] ?? '';
  const hosts = [`${name}.azurewebsites.net`, `${name}.scm.azurewebsites.net`];
  const id = `/subscriptions/${names[0] ?? ''}/resourceGroups/${group.name}/providers/Microsoft.Web/sites/${name}`;
  const { functionAppConfig } = propertiesOf(site);
  const properties = {
    ...{ state: 'Running', defaultHostName: hosts[0], enabledHostNames: hosts },
    ...(functionAppConfig !== undefined && { functionAppConfig }),
  };
  return { id, name, type: site.type, location: group.location, properties };
}

const ACCOUNTS = 'Microsoft.DocumentDB/databaseAccounts';

function getAccount(context: Parameters<InGroup>[0]): Response {
  const account = resourceOf(context, ACCOUNTS);
  if (account === undefined) return notFound(context, ACCOUNTS);
  return { status: 200, body: { name: account.name, type: account.type, properties: propertiesOf(account) } };
}

/** The throughput of the container that a path names. */
function ofContainer(answer: (one: Throughput, context: Parameters<InGroup>[0]) => Response): InGroup {
  return (context) => {
    const account = resourceOf(context, ACCOUNTS);
    if (account === undefined) return notFound(context, ACCOUNTS);
    if (isServerless(account)) {
      const message = 'Reading or replacing offers is not supported for serverless accounts.';
      return armError(400, 'BadRequest', message);
    }
    const name = context.names.slice(2).join('/');
    const one = context.manager.throughputs.get(name);
    return one === undefined
      ? armError(404, 'NotFound', `the container ${name} has no throughput of its own`)
      : answer(one, context);
  };
}

function resourceOf({ group, names }: Parameters<InGroup>[0], type: string): DeployedResource | undefined {
  return [...group.resources.values()].find((one) => one.type === type && one.name === names[2]);
}

function notFound({ group, names }: Parameters<InGroup>[0], type: string): Response {
  const message = `The Resource '${type}/${names[2] ?? ''}' under resource group '${group.name}' was not found.`;
  return armError(404, 'ResourceNotFound', message);
}

function getFunctions({ manager, names }: Parameters<InGroup>[0]): Response {
  const app = names[2] ?? '';
  const value = manager.functionsOf(app).map((name) => ({
    id: `${app}/${name}`,
    properties: { name, config: { bindings: [] } },
  }));
  return { status: 200, body: { value } };
}
