/** What the roles of the Azure template allow, against the calls of the SDKs to Cosmos DB and Service Bus. */
import type { DeployedResource } from '@tandem-clouds/emulators/azure-control-plane/evaluate-template';
import type { FaultResult, Faults } from '@tandem-clouds/emulators/core/faults';
import { RightsBook, type RightsCall } from './calls.ts';
import { OF_STORAGE } from './objects.ts';
import { type ProxiedRequest, type RightsProxy, startProxy } from './proxy.ts';

const COSMOS = 'Microsoft.DocumentDB/databaseAccounts';
const CONTAINER = `${COSMOS}/sqlDatabases/containers`;
const MESSAGES = 'Microsoft.ServiceBus/namespaces/messages';

const READ_QUEUE = 'Microsoft.ServiceBus/namespaces/queues/read';

/**
 * Actions and data actions of the built-in roles, those that are of use here: each of the three has
 * `Microsoft.ServiceBus/*\/queues/read`, or all. https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/integration */
const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  '090c5cfd-751d-490a-894a-3ce6f1109419': [
    `${MESSAGES}/send/action`,
    `${MESSAGES}/receive/action`,
    READ_QUEUE,
  ],
  '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39': [`${MESSAGES}/send/action`, READ_QUEUE],
  '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0': [`${MESSAGES}/receive/action`, READ_QUEUE],
};

interface Grant {
  readonly principal: string;
  /** Empty: the Cosmos DB account. Else `dbs/…/colls/…`, or the name of a queue. */
  readonly scope: string;
  readonly actions: readonly string[];
}

export interface AzureRights {
  readonly book: RightsBook;
  /**
   * Whose calls come in: the identity of the app, or the one that peers take. Set before each invocation. Undefined is the
   * test itself, which may do everything.
   */
  caller: 'app' | 'peers' | undefined;
  /** What the app may do with its store. */
  readonly storeActions: readonly string[];
  /** What each may do with objects: `peers …/blobs/read objects`. */
  readonly objectRights: readonly string[];
  /** What each may do with a queue: `app …/send/action tandem-out`. */
  readonly queueRights: readonly string[];
}

/** Reads the template as Resource Manager would. @param site Id of the app; @param peers Id of the identity of peers. */
export function azureRights(made: readonly DeployedResource[], site: string, peers: string): AzureRights {
  const principals = new Map([
    [site, 'app'],
    [peers, 'peers'],
  ]);
  const grants = made.flatMap((resource) => grantIn(resource, made, principals));
  const book = new RightsBook(({ who, action, resource }) =>
    grants.some(
      ({ principal, scope, actions }) =>
        principal === who &&
        (scope === '' || scope === resource || resource.startsWith(`${scope}/`)) &&
        actions.includes(action),
    ),
  );
  const storeActions = grants.flatMap(({ principal, actions }) =>
    principal === 'app' ? actions.filter((action) => action.startsWith(COSMOS)) : [],
  );
  const queueRights = grants.flatMap(({ principal, scope, actions }) =>
    actions
      .filter((action) => action.startsWith(MESSAGES))
      .map((action) => `${principal} ${action} ${scope}`),
  );
  const objectRights = grants.flatMap(({ principal, scope, actions }) =>
    actions
      .filter((action) => action.startsWith('Microsoft.Storage'))
      .map((action) => `${principal} ${action} ${scope}`),
  );
  return { book, caller: 'app', storeActions, queueRights, objectRights };
}

function grantIn(
  { type, body }: DeployedResource,
  made: readonly DeployedResource[],
  principals: ReadonlyMap<string, string>,
): Grant[] {
  if (!/(role|sqlRole)Assignments$/.test(type)) return [];
  const {
    principalId = '',
    roleDefinitionId = '',
    scope: inner = '',
  } = body['properties'] as Record<string, string>;
  const principal = [...principals].find(([id]) => principalId.includes(id))?.[1];
  if (principal === undefined) return [];
  if (type.endsWith('sqlRoleAssignments')) {
    const definition = made.find(({ id }) => id === roleDefinitionId);
    const { permissions = [] } = (definition?.body['properties'] ?? {}) as {
      permissions?: readonly { readonly dataActions: readonly string[] }[];
    };
    const scope = /\/(dbs\/.+)$/.exec(inner)?.[1] ?? '';
    return [{ principal, scope, actions: permissions.flatMap(({ dataActions }) => dataActions) }];
  }
  const objects = objectsOf(String(body['scope']));
  const onObjects = OF_STORAGE[roleDefinitionId.split('/').at(-1) ?? ''];
  if (objects !== undefined && onObjects !== undefined)
    return [{ principal, scope: objects, actions: onObjects }];
  const queue = /\/queues\/([^/]+)$/.exec(String(body['scope']))?.[1];
  const actions = BUILT_IN[roleDefinitionId.split('/').at(-1) ?? ''];
  return queue === undefined || actions === undefined ? [] : [{ principal, scope: queue, actions }];
}

/** The container of objects, or the account that it is in; not that of the host. */
function objectsOf(scope: string): string | undefined {
  const [, account = '', container] =
    /\/storageAccounts\/([^/]+)(?:\/blobServices\/default\/containers\/([^/]+))?$/.exec(scope) ?? [];
  return account.startsWith('objects') ? (container ?? 'the account') : undefined;
}

/** A proxy for Cosmos DB. */
export function proxyCosmos(target: string, rights: AzureRights): Promise<RightsProxy> {
  return startProxy(target, (request) => {
    const { caller: who } = rights;
    if (who === undefined) return undefined;
    const refused = rights.book.refuse(callsIn(request).map((call) => ({ who, ...call })));
    if (refused === undefined) return undefined;
    const message = `principal ${refused.who} does not have required RBAC permissions to perform action [${refused.action}] on resource [${refused.resource}]`;
    return { status: 403, headers: { 'x-ms-substatus': '5301' }, body: { code: 'Forbidden', message } };
  });
}

/** Kind of an operation of a batch → action. A patch is an update of an item; so is a replacement. */
const ITEM_ACTIONS: Readonly<Record<string, string>> = {
  Create: 'items/create',
  Upsert: 'items/upsert',
  Read: 'items/read',
  Replace: 'items/replace',
  Patch: 'items/replace',
  Delete: 'items/delete',
};

/** https://learn.microsoft.com/azure/cosmos-db/nosql/reference-data-plane-security */
function callsIn({ method, path, headers, body }: ProxiedRequest): Omit<RightsCall, 'who'>[] {
  const segments = new URL(path, 'http://local').pathname.split('/').filter(Boolean);
  const flag = (name: string): boolean => String(headers[name]).toLowerCase() === 'true';
  const [dbs, , colls, , kind, id] = segments;
  const resource = segments.slice(0, 4).join('/');
  const inContainer = (...names: string[]) =>
    names.map((name) => ({ action: `${CONTAINER}/${name}`, resource }));
  if (kind !== 'docs') {
    const isMetadata =
      method === 'GET' &&
      (segments.length === 0 || (dbs === 'dbs' && (colls === undefined || colls === 'colls')));
    return [{ action: isMetadata ? `${COSMOS}/readMetadata` : `management: ${method} ${path}`, resource }];
  }
  if (flag('x-ms-cosmos-is-query-plan-request')) return inContainer('executeQuery');
  if (flag('x-ms-documentdb-isquery') || headers['content-type']?.includes('query+json') === true) {
    return inContainer('executeQuery', 'readChangeFeed');
  }
  if (flag('x-ms-cosmos-is-batch-request')) {
    const operations = JSON.parse(body.toString('utf8')) as readonly { readonly operationType: string }[];
    return inContainer(
      ...operations.map(({ operationType }) => ITEM_ACTIONS[operationType] ?? operationType),
    );
  }
  if (id === undefined && method === 'GET') return inContainer('readChangeFeed');
  if (method === 'POST')
    return inContainer(flag('x-ms-documentdb-is-upsert') ? 'items/upsert' : 'items/create');
  const item: Readonly<Record<string, string>> = {
    GET: 'items/read',
    PUT: 'items/replace',
    PATCH: 'items/replace',
    DELETE: 'items/delete',
  };
  return inContainer(item[method] ?? method);
}

/** A proxy for Resource Manager. What is not about one queue is about the namespace, which no role of ours is for. */
export function proxyResourceManager(target: string, rights: AzureRights): Promise<RightsProxy> {
  return startProxy(target, ({ method, path }) => {
    const { caller: who } = rights;
    const { pathname } = new URL(path, 'http://local');
    if (who === undefined || !pathname.startsWith('/subscriptions/')) return undefined;
    const resource = /\/queues\/([^/]+)$/.exec(pathname)?.[1] ?? 'the namespace';
    const action = method === 'GET' ? READ_QUEUE : `management: ${method} ${path}`;
    const refused = rights.book.refuse([{ who, action, resource }]);
    if (refused === undefined) return undefined;
    const message = `The client '${who}' does not have authorization to perform action '${action}' over scope '${pathname}'.`;
    return { status: 403, headers: {}, body: { error: { code: 'AuthorizationFailed', message } } };
  });
}

/** Makes the broker refuse what is not allowed; it reports each operation with its queue to the fault rules. */
export function guardBroker(faults: Faults, rights: AzureRights): void {
  const hit = faults.hit.bind(faults);
  faults.hit = (operation, queue): FaultResult => {
    const action = `${MESSAGES}/${operation === 'send' ? 'send' : 'receive'}/action`;
    const result = hit(operation, queue);
    const { caller: who } = rights;
    // Not the broker's, but Resource Manager's.
    if (who === undefined || operation === 'getQueue') return result;
    const refused = rights.book.refuse([{ who, action, resource: queue }]);
    return refused === undefined ? result : { ...result, error: { code: 'amqp:unauthorized-access' } };
  };
}
