/** What the template of a site makes, with and without its features, and what it must never hold. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import {
  deploy,
  type DeployedResource,
} from '@tandem-clouds/emulators/azure-control-plane/evaluate-template';
import { propertyRefusal } from '@tandem-clouds/emulators/azure-control-plane/property-rules';
import { composeTemplate } from '../../infra/azure/template/compose-template.ts';
import { typedParameters } from '../../infra/azure/template/template-parameters.ts';

const FOLDER = path.join(import.meta.dirname, '../../infra/azure');
const template = composeTemplate(path.join(FOLDER, 'site.json'));

const FEATURES = Object.entries(template.parameters).flatMap(([name, { type }]) =>
  type === 'bool' ? [name] : [],
);
const REQUIRED = { functionAppName: 'acme', location: 'here', tags: { site: 'azure-here' } };
const SECOND = { secondRegionApp: 'acme-2', secondRegionGroup: 'g2', domain: 'api.example.org' };
const EVERYTHING = Object.fromEntries(FEATURES.map((name) => [name, true]));

const all = (given: Record<string, unknown> = {}): DeployedResource[] =>
  deploy(template, { ...REQUIRED, ...SECOND, ...given });
const made = (given: Record<string, unknown> = {}): DeployedResource[] =>
  all(given).filter((resource) => resource.made);
const typesOf = (resources: readonly DeployedResource[]): string[] => [
  ...new Set(resources.map(({ type }) => type)),
];

/** The one resource of a type. */
function only(type: string, given: Record<string, unknown> = {}): Record<string, unknown> {
  const [found, ...others] = made(given).filter((resource) => resource.type === type);
  if (found === undefined || others.length > 0) throw new Error(`${others.length} others of type ${type}`);
  return found.body;
}
const propertiesOf = (type: string, given: Record<string, unknown> = {}): Record<string, unknown> =>
  only(type, given)['properties'] as Record<string, unknown>;

const SITES = 'Microsoft.Web/sites';
const SETTINGS = (given: Record<string, unknown> = {}): Record<string, string> => {
  const { appSettings } = propertiesOf(SITES, given)['siteConfig'] as {
    appSettings: { name: string; value: string }[];
  };
  return Object.fromEntries(appSettings.map(({ name, value }) => [name, value]));
};

/** Settings of the definition that are expressions of the template, evaluated as one of its own would be. */
const SETTINGS_OF_DEFINITION: Readonly<Record<string, (given: Record<string, unknown>) => string>> =
  Object.fromEntries(
    Object.entries(
      (
        parse(fs.readFileSync(path.join(FOLDER, '../../serverless.azure.yml'), 'utf8'), { merge: true }) as {
          provider: { environment: Record<string, string> };
        }
      ).provider.environment,
    )
      .filter(([, value]) => value.startsWith('['))
      .map(([name, value]) => [
        name,
        (given) => {
          const probe = {
            type: 'Test/probes',
            name: 'probe',
            apiVersion: '2020-01-01',
            properties: { value },
          };
          const resources = [...template.resources, probe];
          const found = deploy({ ...template, resources }, { ...REQUIRED, ...SECOND, ...given }).at(-1);
          return String((found?.body['properties'] as { value: unknown }).value);
        },
      ]),
  );

describe('every resource', () => {
  /** Parts of another resource, and relations between two: they have no tags. */
  const UNTAGGED =
    /^Microsoft\.Consumption\/|flexibleServers\/|roleAssignments$|sqlRole|sqlDatabases|queues$|blobServices|basicPublishing|diagnosticSettings|originGroups|ruleSets|customDomains$|routes$|securityPolicies$|privateDnsZoneGroups$|managementPolicies$|eventSubscriptions$|federatedIdentityCredentials$|workspaces\/tables$/;

  test('has a version of its interface, and tags where it takes them', () => {
    for (const { type, apiVersion, body } of all(EVERYTHING)) {
      expect([type, apiVersion]).toEqual([type, expect.stringMatching(/^\d{4}-\d{2}-\d{2}(-preview)?$/)]);
      expect([type, body['tags']]).toEqual([type, UNTAGGED.test(type) ? undefined : REQUIRED.tags]);
    }
  });

  test('is taken by its provider: no property that Flex Consumption refuses, no value that is not offered', () => {
    for (const resource of [...made(), ...made(EVERYTHING)]) {
      expect([resource.id, propertyRefusal(resource)]).toEqual([resource.id, undefined]);
    }
  });

  test('of a loop has a name of its own', () => {
    const loops = template.resources.flatMap(
      ({ copy }) => (copy as { name: string } | undefined)?.name ?? [],
    );
    expect(new Set(loops).size).toBe(loops.length);
    expect(loops.length).toBeGreaterThan(0);
  });

  test('waits only for resources of this template, and has an id of its own', () => {
    const ids = all(EVERYTHING).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, dependsOn } of all(EVERYTHING)) {
      for (const other of dependsOn) expect([id, ids]).toEqual([id, expect.arrayContaining([other])]);
    }
  });
});

describe('parameters', () => {
  test('say what they are for', () => {
    for (const [name, { metadata }] of Object.entries(template.parameters)) {
      expect([name, metadata?.description]).toEqual([name, expect.stringMatching(/\w.*\.$/)]);
    }
  });

  test('that are flags are off by default: the deployment drops a parameter that is false', () => {
    expect(FEATURES.length).toBeGreaterThan(0);
    for (const name of FEATURES) expect(template.parameters[name]?.defaultValue).toBe(false);
  });
});

describe('security', () => {
  test.each([
    ['Microsoft.DocumentDB/databaseAccounts', { disableLocalAuth: true, minimalTlsVersion: 'Tls12' }],
    ['Microsoft.ServiceBus/namespaces', { disableLocalAuth: true, minimumTlsVersion: '1.3' }],
    [
      'Microsoft.Storage/storageAccounts',
      {
        allowSharedKeyAccess: false,
        allowBlobPublicAccess: false,
        supportsHttpsTrafficOnly: true,
        minimumTlsVersion: 'TLS1_2',
      },
    ],
    ['Microsoft.KeyVault/vaults', { enableRbacAuthorization: true, enableSoftDelete: true }],
    ['Microsoft.Insights/components', { DisableLocalAuth: true }],
    [
      'Microsoft.OperationalInsights/workspaces',
      expect.objectContaining({ features: expect.objectContaining({ disableLocalAuth: true }) }),
    ],
    [
      SITES,
      {
        httpsOnly: true,
        siteConfig: expect.objectContaining({ minTlsVersion: '1.3', scmMinTlsVersion: '1.3' }),
      },
    ],
  ])('%s takes identities only, and the highest minimum of TLS that it offers', (type, expected) => {
    expect(propertiesOf(type)).toMatchObject(expected);
  });

  test('a name of its own at Front Door takes TLS 1.3 only', () => {
    expect(propertiesOf('Microsoft.Cdn/profiles/customDomains', EVERYTHING)['tlsSettings']).toEqual({
      certificateType: 'ManagedCertificate',
      cipherSuiteSetType: 'Customized',
      customizedCipherSuiteSet: {
        cipherSuiteSetForTls13: ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'],
      },
      minimumTlsVersion: 'TLS13',
    });
  });

  test('nobody deploys with a user name and a password', () => {
    const policies = made().filter(({ type }) => type.endsWith('basicPublishingCredentialsPolicies'));
    expect(policies.map(({ body }) => [body['name'], body['properties']])).toEqual([
      ['scm', { allow: false }],
      ['ftp', { allow: false }],
    ]);
  });

  test('no key is ever asked for, and no setting holds a secret', () => {
    expect(JSON.stringify(template)).not.toMatch(/list\w*Keys|listSecrets|AccountKey|SharedAccessKey/i);
    // The connection string of Application Insights names an address; taking telemetry needs the identity.
    const names = Object.keys(SETTINGS(EVERYTHING)).filter(
      (name) => name !== 'APPLICATIONINSIGHTS_CONNECTION_STRING',
    );
    for (const name of names) expect(name).not.toMatch(/_KEY$|SECRET|PASSWORD|TOKEN|CONNECTION/i);
    expect(SETTINGS()['APPLICATIONINSIGHTS_AUTHENTICATION_STRING']).toBe('Authorization=AAD');
  });
});

describe('roles', () => {
  const APP = '</subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/acme.identity.principalId>';
  const granted = (given: Record<string, unknown> = {}): Record<string, string>[] =>
    made(given)
      .filter(({ type }) => /(role|sqlRole)Assignments$/.test(type))
      .map(
        ({ body }) => ({ scope: body['scope'], ...(body['properties'] as object) }) as Record<string, string>,
      );

  test('are the identity of the app alone, each on one resource', () => {
    for (const { principalId, scope } of granted()) {
      expect(principalId).toBe(APP);
      expect(scope).toMatch(/^\/subscriptions\/s\/resourceGroups\/g\/providers\/.+\/.+/);
    }
  });

  test('are given queue by queue, and once', () => {
    const queues = made().flatMap(({ type, id }) => (type.endsWith('/queues') ? [id] : []));
    const scopes = granted().flatMap(({ scope }) => (scope?.includes('/queues/') ? [scope] : []));
    // As an owner where there is a trigger; to send and to receive where there is none.
    const dead = queues.filter((id) => id.endsWith('/tandem-dead'));
    expect(scopes.sort()).toEqual([...queues, ...dead].sort());
  });

  test('of the store name each action, and reach the container', () => {
    const definitions = made().filter(({ type }) => type.endsWith('sqlRoleDefinitions'));
    const actions = definitions.flatMap(({ body }) => {
      const { permissions } = body['properties'] as { permissions: { dataActions: string[] }[] };
      return permissions.flatMap(({ dataActions }) => dataActions);
    });
    expect(actions.map((action) => action.split('/').slice(-2).join('/'))).toEqual([
      'databaseAccounts/readMetadata',
      'items/create',
      'items/read',
      'items/replace',
      'items/delete',
      'containers/executeQuery',
      'containers/readChangeFeed',
    ]);
    const onStore = granted().filter(({ roleDefinitionId }) => roleDefinitionId?.includes('sqlRole'));
    expect(onStore.map(({ scope }) => scope?.split('/').slice(9).join('/'))).toEqual([
      '',
      'dbs/tandem/colls/records',
    ]);
  });

  test('of a second region let its app send to the inbound queues', () => {
    const added = granted({ secondRegion: true }).filter(({ principalId }) => principalId !== APP);
    expect(added.map(({ scope }) => scope?.split('/').at(-1))).toEqual(['tandem-in', 'tandem-verify']);
    for (const { principalId } of added) expect(principalId).toContain('resourceGroups/g2/');
  });
});

describe('a feature', () => {
  const CDN = 'Microsoft.Cdn/profiles';
  const WAF = 'Microsoft.Network/FrontDoorWebApplicationFirewallPolicies';
  const added = (given: Record<string, unknown>, base: Record<string, unknown> = {}): string[] => {
    const before = typesOf(made(base));
    return typesOf(made({ ...base, ...given })).filter((type) => !before.includes(type));
  };

  test.each([
    [
      'cdn',
      {},
      [
        CDN,
        `${CDN}/afdEndpoints`,
        `${CDN}/originGroups`,
        `${CDN}/originGroups/origins`,
        `${CDN}/afdEndpoints/routes`,
      ],
    ],
    ['waf', { cdn: true }, [WAF, `${CDN}/securityPolicies`]],
    ['customDomain', { cdn: true }, [`${CDN}/customDomains`]],
    [
      'network',
      {},
      [
        'Microsoft.Network/networkSecurityGroups',
        'Microsoft.Network/virtualNetworks',
        'Microsoft.Network/privateDnsZones',
        'Microsoft.Network/privateDnsZones/virtualNetworkLinks',
        'Microsoft.Network/privateEndpoints',
        'Microsoft.Network/privateEndpoints/privateDnsZoneGroups',
      ],
    ],
    ['audit', {}, ['Microsoft.Insights/diagnosticSettings']],
    [
      'objects',
      {},
      [
        'Microsoft.Storage/storageAccounts/blobServices',
        'Microsoft.Storage/storageAccounts/managementPolicies',
        'Microsoft.EventGrid/systemTopics',
        'Microsoft.EventGrid/systemTopics/eventSubscriptions',
      ],
    ],
    ['storefront', {}, ['Microsoft.Storage/storageAccounts/blobServices']],
    ['budget', { budgetFrom: '2026-12-01' }, ['Microsoft.Consumption/budgets']],
    [
      'sql',
      { sqlAdministrator: '11111111-2222-3333-4444-555555555555', sqlAdministratorName: 'ada' },
      [
        'Microsoft.DBforPostgreSQL/flexibleServers',
        'Microsoft.DBforPostgreSQL/flexibleServers/databases',
        'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules',
        'Microsoft.DBforPostgreSQL/flexibleServers/administrators',
      ],
    ],
    ['tracing', {}, []],
    ['warm', {}, []],
    ['raiseCapacity', {}, []],
    [
      'centralLogs',
      {},
      [
        'Microsoft.OperationalInsights/workspaces/tables',
        'Microsoft.Insights/dataCollectionEndpoints',
        'Microsoft.Insights/dataCollectionRules',
      ],
    ],
    ['zoneRedundancy', {}, []],
    ['secondRegion', {}, []],
  ])('%s makes what it needs, and nothing when it is off', (name, base, types) => {
    expect(FEATURES).toContain(name);
    expect(added({ [name]: true }, base)).toEqual(types);
  });

  test.each(['waf', 'customDomain'])('%s alone makes nothing', (name) => {
    expect(added({ [name]: true })).toEqual([]);
  });

  test('cdn closes the app to everybody but its own Front Door', () => {
    expect(propertiesOf(SITES)['siteConfig']).toMatchObject({
      ipSecurityRestrictionsDefaultAction: 'Allow',
      ipSecurityRestrictions: [],
    });
    expect(propertiesOf(SITES, { cdn: true })['siteConfig']).toMatchObject({
      ipSecurityRestrictionsDefaultAction: 'Deny',
      ipSecurityRestrictions: [
        expect.objectContaining({
          ipAddress: 'AzureFrontDoor.Backend',
          headers: { 'x-azure-fdid': [expect.stringMatching(/profiles\/acme\.frontDoorId>$/)] },
        }),
      ],
    });
  });

  test('cdn keeps the collections that say so, and nothing that a session asks for', () => {
    const given = { cdn: true, cachedCollections: 'products,pictures' };
    const { conditions, actions } = propertiesOf(`${CDN}/ruleSets/rules`, given) as {
      conditions: { name: string; parameters: Record<string, unknown> }[];
      actions: unknown[];
    };
    expect(
      conditions.map(({ name, parameters }) => [name, parameters['selector'] ?? parameters['matchValues']]),
    ).toEqual([
      ['UrlPath', ['products', 'pictures']],
      ['RequestHeader', 'X-Tandem-Session'],
      ['RequestHeader', 'Prefer'],
    ]);
    expect(conditions.map(({ parameters }) => parameters['negateCondition'])).toEqual([false, true, true]);
    expect(actions).toEqual([
      expect.objectContaining({
        name: 'RouteConfigurationOverride',
        parameters: expect.objectContaining({
          cacheConfiguration: expect.objectContaining({
            cacheBehavior: 'HonorOrigin',
            queryStringCachingBehavior: 'UseQueryString',
          }),
        }),
      }),
    ]);
    const routeOf = (more: object) => propertiesOf(`${CDN}/afdEndpoints/routes`, { cdn: true, ...more });
    expect(routeOf(given)['ruleSets']).toHaveLength(1);
    expect(routeOf({})).toMatchObject({ ruleSets: [] });
    // The route itself keeps nothing.
    expect(routeOf(given)).not.toHaveProperty('cacheConfiguration');
  });

  test('the app purges Front Door by a role of one action, on the endpoint alone, where it is given one', () => {
    const role = '99999999-0000-0000-0000-000000000001';
    const purges = (given: object) =>
      made({ cdn: true, ...given }).filter(({ body }) => JSON.stringify(body).includes(role));
    expect(purges({})).toEqual([]);
    const [assignment, ...others] = purges({ cdnPurgeRole: role });
    expect(others).toEqual([]);
    expect(assignment?.body['scope']).toMatch(/profiles\/acme\/afdEndpoints\/acme$/);
    const endpoint = SETTINGS_OF_DEFINITION['TANDEM_CDN_ENDPOINT'];
    expect(endpoint?.({ cdn: true })).toBe('');
    expect(endpoint?.({ cdn: true, cdnPurgeRole: role })).toMatch(/profiles\/acme\/afdEndpoints\/acme$/);
  });

  test('waf has managed rules in the Premium tier', () => {
    const rules = (frontDoorTier: string): unknown =>
      propertiesOf(WAF, { cdn: true, waf: true, frontDoorTier })['managedRules'];
    expect(rules('Standard')).toEqual({ managedRuleSets: [] });
    expect(rules('Premium')).toMatchObject({
      managedRuleSets: [{ ruleSetType: 'Microsoft_DefaultRuleSet' }, {}],
    });
  });

  test('network leaves nothing that the app keeps open to the internet', () => {
    const kept = ['DocumentDB/databaseAccounts', 'Storage/storageAccounts', 'KeyVault/vaults'];
    for (const type of kept) {
      expect(propertiesOf(`Microsoft.${type}`)['publicNetworkAccess']).toBe('Enabled');
      expect(propertiesOf(`Microsoft.${type}`, { network: true })['publicNetworkAccess']).toBe('Disabled');
    }
    const endpoints = made({ network: true }).filter(({ type }) => type.endsWith('/privateEndpoints'));
    expect(endpoints).toHaveLength(kept.length);
    expect(propertiesOf(SITES)['virtualNetworkSubnetId']).toBeNull();
    expect(propertiesOf(SITES, { network: true })['virtualNetworkSubnetId']).toMatch(/subnets\/app$/);
  });

  test('tracing leaves no request to sampling', () => {
    const name = 'AzureFunctionsJobHost__logging__applicationInsights__samplingSettings__isEnabled';
    expect([SETTINGS()[name], SETTINGS({ tracing: true })[name]]).toEqual(['true', 'false']);
  });

  test('warm keeps instances for HTTP', () => {
    const ready = (given: Record<string, unknown>): unknown =>
      (propertiesOf(SITES, given)['functionAppConfig'] as { scaleAndConcurrency: object })
        .scaleAndConcurrency;
    expect(ready({})).toMatchObject({ alwaysReady: [] });
    expect(ready({ warm: true })).toMatchObject({ alwaysReady: [{ name: 'http', instanceCount: 1 }] });
  });

  test('zoneRedundancy spreads the plan, the store and the storage account', () => {
    const spread = (given: Record<string, unknown>): unknown[] => [
      propertiesOf('Microsoft.Web/serverfarms', given)['zoneRedundant'],
      (
        propertiesOf('Microsoft.DocumentDB/databaseAccounts', given)['locations'] as {
          isZoneRedundant: boolean;
        }[]
      )[0]?.isZoneRedundant,
      (only('Microsoft.Storage/storageAccounts', given)['sku'] as { name: string }).name,
    ];
    expect(spread({})).toEqual([false, false, 'Standard_LRS']);
    expect(spread({ zoneRedundancy: true })).toEqual([true, true, 'Standard_ZRS']);
  });

  test('objects have an account of their own: no keys, nothing public, versions, tiers, and URLs that work everywhere', () => {
    const of = (type: string, given: Record<string, unknown> = {}): Record<string, unknown> => {
      const [found] = made({ objects: true, ...given }).filter(
        (one) => one.type === type && one.name.startsWith('objects'),
      );
      return found?.body['properties'] as Record<string, unknown>;
    };
    const ACCOUNTS = 'Microsoft.Storage/storageAccounts';
    const closed = {
      allowSharedKeyAccess: false,
      allowBlobPublicAccess: false,
      supportsHttpsTrafficOnly: true,
      minimumTlsVersion: 'TLS1_2',
      allowCrossTenantReplication: false,
    };
    expect(of(ACCOUNTS)).toMatchObject(closed);
    // Clients have signed URLs, whatever network the app is in.
    expect(of(ACCOUNTS, { network: true })).toMatchObject({ ...closed, publicNetworkAccess: 'Enabled' });
    const originsOf = (objectsOrigins?: string): unknown =>
      (
        of(`${ACCOUNTS}/blobServices`, objectsOrigins === undefined ? {} : { objectsOrigins })['cors'] as {
          corsRules: { allowedOrigins: unknown }[];
        }
      ).corsRules.map(({ allowedOrigins }) => allowedOrigins);
    expect(of(`${ACCOUNTS}/blobServices`)).toMatchObject({ isVersioningEnabled: true });
    expect([originsOf(), originsOf('https://a.example, https://b.example')]).toEqual([
      [['*']],
      [['https://a.example', 'https://b.example']],
    ]);
    expect(of(`${ACCOUNTS}/blobServices/containers`)).toEqual({ publicAccess: 'None' });
    const { rules } = of(`${ACCOUNTS}/managementPolicies`, { objectsTierDays: 90 })['policy'] as {
      rules: { name: string; definition: { actions: unknown } }[];
    };
    expect(rules.map(({ name, definition }) => [name, definition.actions])).toEqual([
      // Whether an upload is anybody's is in the records: no rule removes one.
      ['tiers', { baseBlob: { tierToCool: { daysAfterModificationGreaterThan: 90 } } }],
    ]);
    const place = (given: Record<string, unknown>) => [
      SETTINGS_OF_DEFINITION['TANDEM_OBJECTS_URL']?.(given),
      SETTINGS_OF_DEFINITION['TANDEM_OBJECTS_CONTAINER']?.(given),
    ];
    expect(place({})).toEqual(['', '']);
    expect(place({ objects: true })).toEqual([
      expect.stringMatching(/^https:\/\/objects\w+\.blob\.core\.windows\.net$/),
      'objects',
    ]);
  });

  test('objects give the app their container and the signing of URLs, and their events a queue', () => {
    const roles = made({ objects: true }).filter(({ type }) => type.endsWith('/roleAssignments'));
    const before = new Set(made().map(({ id }) => id));
    const added = roles
      .filter(({ id }) => !before.has(id))
      .map(({ body }) => [
        String(body['scope'])
          .split('/')
          .slice(-2)
          .join('/')
          .replace(/objects\w{5,}/, 'objects…'),
        String((body['properties'] as Record<string, unknown>)['roleDefinitionId'])
          .split('/')
          .at(-1),
        JSON.stringify(body['properties']).includes('systemTopics') ? 'events' : 'app',
      ]);
    expect(added).toEqual([
      ['queues/tandem-objects', '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39', 'events'],
      ['containers/objects', 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b', 'app'],
      ['storageAccounts/objects…', 'db58b8e5-c6ad-4a2a-8342-4190687cbf4a', 'app'],
    ]);
    const mayRead = (given: Record<string, unknown>): unknown[] =>
      made({ objects: true, ...given })
        .filter(({ type }) => type.endsWith('/roleAssignments'))
        .filter(({ body }) =>
          JSON.stringify(body['properties']).includes('2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'),
        )
        .map(({ body }) => String(body['scope']).split('/').slice(-2).join('/'));
    // The functions of an AWS site that signs in here, and the site of another region.
    expect(mayRead({})).toEqual([]);
    expect(
      mayRead({ awsIssuer: 'https://x.tokens.sts.global.api.aws', awsSubjects: 'arn:aws:iam::1:role/r' }),
    ).toEqual(['containers/objects']);
    expect(mayRead({ secondRegion: true })).toEqual(['containers/objects']);
    const [subscription] = made({ objects: true }).filter(({ type }) => type.endsWith('/eventSubscriptions'));
    expect(subscription?.body['properties']).toMatchObject({
      deliveryWithResourceIdentity: {
        identity: { type: 'SystemAssigned' },
        destination: {
          endpointType: 'ServiceBusQueue',
          properties: { resourceId: expect.stringMatching(/\/queues\/tandem-objects$/) },
        },
      },
      filter: { includedEventTypes: ['Microsoft.Storage.BlobDeleted'] },
    });
  });

  test('storefront has an account of its own that serves $web: no keys, nothing else public, TLS only', () => {
    const shop = (given: Record<string, unknown> = {}): DeployedResource[] =>
      made({ storefront: true, ...given }).filter(({ id }) => id.includes('/storageAccounts/shop'));
    const of = (type: string): unknown => shop().find((one) => one.type.endsWith(type))?.body['properties'];
    expect(of('/storageAccounts')).toMatchObject({
      allowSharedKeyAccess: false,
      allowBlobPublicAccess: false,
      supportsHttpsTrafficOnly: true,
      minimumTlsVersion: 'TLS1_2',
    });
    expect(of('/blobServices')).toMatchObject({
      staticWebsite: { enabled: true, indexDocument: 'index.html' },
    });
    // Before, Resource Manager dropped what it did not know, and no page was served.
    for (const { type, apiVersion } of shop())
      if (!type.endsWith('/roleAssignments')) expect([type, apiVersion]).toEqual([type, '2025-08-01']);
    expect(of('/containers')).toEqual({ publicAccess: 'None' });
    expect(shop().map(({ name }) => name.split('/').at(-1))).toContain('$web');
  });

  test('centralLogs lets the app write rows, and functions of AWS as one identity that trusts one role', () => {
    const RULES = 'Microsoft.Insights/dataCollectionRules';
    const writers = (given: Record<string, unknown>) =>
      made(given)
        .filter(({ type, body }) => type.endsWith('roleAssignments') && String(body['scope']).includes(RULES))
        .map(({ body }) => (body['properties'] as { principalId: string }).principalId);
    expect(writers({})).toEqual([]);
    expect(writers({ centralLogs: true })).toEqual([expect.stringContaining('sites/acme')]);
    const fromAws = {
      centralLogs: true,
      awsIssuer: 'https://i.example',
      centralLogsSubject: 'arn:aws:iam::1:role/b',
    };
    expect(writers(fromAws)).toEqual([
      expect.stringContaining('sites/acme'),
      expect.stringContaining('userAssignedIdentities/acme-logs'),
    ]);
    const credentials = made(fromAws).filter(({ name }) => name === 'acme-logs/aws');
    expect(credentials.map(({ body }) => body['properties'])).toEqual([
      {
        issuer: 'https://i.example',
        subject: 'arn:aws:iam::1:role/b',
        audiences: ['api://AzureADTokenExchange'],
      },
    ]);
  });

  test('storefront lets one who is named write its files, and nobody else', () => {
    const roles = (given: Record<string, unknown>): unknown[] => {
      const before = new Set(made().map(({ id }) => id));
      return made({ storefront: true, ...given })
        .filter(({ type, id }) => type.endsWith('/roleAssignments') && !before.has(id))
        .map(({ body }) => ({ scope: body['scope'], ...(body['properties'] as object) }));
    };
    expect(roles({})).toEqual([]);
    expect(roles({ storefrontPublisher: 'ada' })).toEqual([
      {
        scope: expect.stringMatching(/\/storageAccounts\/shop\w+\/blobServices\/default\/containers\/\$web$/),
        roleDefinitionId: expect.stringContaining('ba92f5b4-2d11-453d-a403-e96b0029c9fe'),
        principalId: 'ada',
      },
    ]);
    expect(made({ storefrontPublisher: 'ada' }).filter(({ id }) => id.includes('/shop'))).toEqual([]);
  });

  test('secondRegion is the stand-by at Front Door', () => {
    const origins = (given: Record<string, unknown>): unknown[] =>
      made({ cdn: true, ...given })
        .filter(({ type }) => type.endsWith('/origins'))
        .map(({ body }) => body['properties']);
    expect(origins({})).toEqual([
      expect.objectContaining({ hostName: 'acme.azurewebsites.net', priority: 1 }),
    ]);
    expect(origins({ secondRegion: true })[1]).toMatchObject({
      hostName: 'acme-2.azurewebsites.net',
      priority: 2,
    });
  });
});

describe('parameters of the template', () => {
  test('can all be given on the command line, and have the same defaults there', () => {
    const { params, provider } = parse(
      fs.readFileSync(path.join(FOLDER, '../../serverless.azure.yml'), 'utf8'),
      {
        merge: true,
      },
    ) as {
      params: { default: Record<string, unknown> };
      provider: { armTemplate: { parameters: Record<string, { value: string }> } };
    };
    const given = provider.armTemplate.parameters;
    expect(Object.keys(given).sort()).toEqual(Object.keys(template.parameters).sort());
    for (const [name, { value }] of Object.entries(given)) {
      if (value !== `\${param:${name}}` || name === 'peers') continue;
      expect([name, params.default[name]]).toEqual([name, template.parameters[name]?.defaultValue ?? '']);
    }
  });

  test('gives the template values of its types', () => {
    const given = { cdn: { value: 'true' }, peers: { value: '[{"site":"a"}]' }, dailyCapGb: { value: '2' } };
    expect(typedParameters(template.parameters, given)).toEqual({
      cdn: { value: true },
      peers: { value: [{ site: 'a' }] },
      dailyCapGb: { value: 2 },
    });
  });

  test.each([
    ['a capital, which no Cosmos DB account has', 'Acme-Tandem', "'Acme-Tandem' is not small letters"],
    ['a digit first, which no Service Bus namespace has', '1acme', "'1acme' is not small letters"],
    ['a hyphen last', 'acme-', "'acme-' is not small letters"],
    ['an underscore', 'acme_tandem', "'acme_tandem' is not small letters"],
    ['more letters than its resources take', 'a'.repeat(31), 'its length is above 30'],
  ])('refuse a name of the app that another resource cannot have: %s', (_, value, message) => {
    expect(() => typedParameters(template.parameters, { functionAppName: { value } })).toThrow(message);
  });

  test('refuse a number beyond the limits of the template', () => {
    const given = { dailyCapGb: { value: '0' }, warmInstances: { value: '21' } };
    expect(() => typedParameters(template.parameters, given)).toThrow(
      'dailyCapGb: 0 is below 1; warmInstances: 21 is above 20',
    );
  });

  test('whatever the case of the name that the template is given, that of its store is small', () => {
    const [account] = made({ functionAppName: 'Acme' }).filter(
      ({ type }) => type === 'Microsoft.DocumentDB/databaseAccounts',
    );
    expect(String(account?.body['name'])).toMatch(/^[a-z0-9-]+$/);
  });

  test('fails with every parameter that the template does not have or allow', () => {
    const given = { cdn: { value: 'yes' }, cnd: { value: true }, frontDoorTier: { value: 'Basic' } };
    expect(() => typedParameters(template.parameters, given)).toThrow(
      "parameters of the template: cdn: 'yes' is no bool; cnd: unknown; frontDoorTier: 'Basic' is none of Standard, Premium",
    );
  });
});

describe('composing', () => {
  let folder: string;
  const write = (name: string, content: unknown): void => {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    fs.writeFileSync(path.join(folder, name), text);
  };

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'template-'));
    fs.mkdirSync(path.join(folder, 'parts'));
    write('site.json', { variables: { a: 1 } });
  });
  afterEach(() => {
    fs.rmSync(folder, { recursive: true });
  });

  test('puts the parts together, with the texts that they load', () => {
    write('ask.kql', 'traces\n| take 1\n');
    write('parts/b.json', { variables: { b: { loadTextContent: 'ask.kql' } } });
    write('parts/c.json', { resources: [{ type: 't' }], outputs: { o: {} } });
    expect(composeTemplate(path.join(folder, 'site.json'))).toEqual({
      parameters: {},
      variables: { a: 1, b: 'traces\n| take 1' },
      resources: [{ type: 't' }],
      outputs: { o: {} },
    });
  });

  test('fails when two parts define the same name', () => {
    write('parts/b.json', { variables: { a: 2 } });
    expect(() => composeTemplate(path.join(folder, 'site.json'))).toThrow(
      'b.json defines again what another part has: a',
    );
  });
});
