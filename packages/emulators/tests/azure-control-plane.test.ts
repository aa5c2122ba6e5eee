/** The emulator that deployments to Azure are rehearsed against must refuse what Azure refuses. */
import http from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { OUR_PACKAGES } from '../../../scripts/rehearse/azure/packages.ts';
import { propertyRefusal, REFUSED_ON_FLEX } from '../src/azure-control-plane/property-rules.ts';
import { type AzureControlPlane, startAzureControlPlane } from '../src/azure-control-plane/server.ts';
import { make, validate } from '../src/azure-control-plane/template-deployment.ts';

const LOGIN = { tenant: 't', client: 'c', assertion: 'assertion', token: 'token' };
const GROUP = 'https://management.azure.com/subscriptions/s/resourcegroups/g';

const resource = (name: string, more: object = {}) => ({
  type: 'Microsoft.Test/things',
  apiVersion: '2024-01-01',
  name,
  ...more,
});
const idOf = (name: string): string =>
  `/subscriptions/s/resourceGroups/g/providers/Microsoft.Test/things/${name}`;
const template = (resources: ReturnType<typeof resource>[]) => ({
  parameters: {
    app: { type: 'string' },
    on: { type: 'bool', defaultValue: false },
    size: { type: 'int', defaultValue: 1, allowedValues: [1, 2] },
  },
  variables: {},
  resources,
  outputs: {},
});
const sent = (given: Record<string, unknown>, resources = [resource('one')], mode = 'Incremental') => ({
  mode,
  template: template(resources),
  parameters: Object.fromEntries(Object.entries(given).map(([name, value]) => [name, { value }])),
});

describe('a deployment', () => {
  test('that is in order has no mistakes', () => {
    expect(validate(sent({ app: 'a', on: true, size: 2 })).mistakes).toEqual([]);
  });

  test.each([
    ['a flag that is text', sent({ app: 'a', on: 'true' }), "the parameter 'on' is no bool"],
    ['a parameter that is missing', sent({}), "the parameter 'app' is not given"],
    ['a parameter that is unknown', sent({ app: 'a', apps: 'b' }), "the template has no parameter 'apps'"],
    ['a value that is not allowed', sent({ app: 'a', size: 3 }), "'size' is not allowed its value"],
    ['the mode that deletes', sent({ app: 'a' }, undefined, 'Complete'), "the mode 'Complete' deletes"],
    [
      'an expression that cannot be read',
      sent({ app: 'a' }, [resource("[parameters('nothing')]")]),
      'no parameter is called nothing',
    ],
    [
      'a dependency that is nowhere',
      sent({ app: 'a' }, [resource('one', { dependsOn: [idOf('two')] })]),
      'which is not in the template',
    ],
    ['a name that is there twice', sent({ app: 'a' }, [resource('one'), resource('one')]), 'is there twice'],
  ])('is refused for %s', (_title, deployment, mistake) => {
    expect(validate(deployment).mistakes).toContainEqual(expect.stringContaining(mistake));
  });

  test('that fails leaves what was made before, and names what failed', () => {
    const [last, first] = [resource('last', { dependsOn: [idOf('first')] }), resource('first')];
    const { resources } = validate(sent({ app: 'a' }, [last, first]));
    const { made, error } = make(resources, ({ name }) =>
      name === 'last' ? { code: 'Conflict', message: 'taken' } : undefined,
    );
    expect(made.map(({ name }) => name)).toEqual(['first']);
    expect(error).toMatchObject({
      code: 'DeploymentFailed',
      details: [{ code: 'Conflict', message: "Microsoft.Test/things 'last': taken" }],
    });
  });
});

describe('the control plane', () => {
  let azure: AzureControlPlane;
  beforeAll(async () => {
    azure = await startAzureControlPlane({ subscription: 's', login: LOGIN, packages: OUR_PACKAGES });
  });
  afterAll(() => azure.close());

  interface Query {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
    readonly token?: string;
  }
  /** By hand, as `fetch` takes no other host. */
  const exchange = (
    url: string,
    { token = LOGIN.token, ...more }: Query = {},
  ): Promise<http.IncomingMessage> => {
    const { host, pathname, search } = new URL(url);
    return new Promise((resolve, reject) => {
      const headers = { ...more.headers, host, authorization: `Bearer ${token}` };
      const sent = http.request(
        {
          port: azure.port,
          host: '127.0.0.1',
          path: pathname + search,
          method: more.method ?? 'GET',
          headers,
        },
        resolve,
      );
      sent.on('error', reject).end(more.body);
    });
  };
  const query = async (url: string, more?: Query): Promise<number | undefined> => {
    const response = await exchange(url, more);
    response.resume();
    return response.statusCode;
  };

  test('lets nobody in with another token', async () => {
    expect(await query(`${GROUP}?api-version=2019-05-01`, { token: 'other' })).toBe(401);
  });

  test('knows only published versions of the interface, and only its subscription', async () => {
    expect(await query(`${GROUP}?api-version=1999-01-01`)).toBe(400);
    expect(await query(`${GROUP.replace('/s/', '/other/')}?api-version=2019-05-01`)).toBe(404);
  });

  describe('of what is changed of a site while it runs', () => {
    const WEB = `${GROUP}/providers/Microsoft.Web/sites/app?api-version=2024-04-01`;
    const COSMOS = `${GROUP}/providers/Microsoft.DocumentDB/databaseAccounts`;
    const settingsOf = (account: string): string =>
      `${COSMOS}/${account}/sqlDatabases/d/containers/c/throughputSettings/default?api-version=2024-11-15`;
    const config = (alwaysReady: object[], more: object = {}) => ({
      ...{ runtime: {}, deployment: {} },
      scaleAndConcurrency: { alwaysReady, maximumInstanceCount: 40 },
      ...more,
    });

    beforeEach(() => {
      const made = (type: string, name: string, properties: object) => ({
        ...{
          id: name,
          type,
          name,
          apiVersion: '2024-04-01',
          made: true,
          dependsOn: [],
          body: { properties },
        },
      });
      const resources = [
        made('Microsoft.Web/sites', 'app', { functionAppConfig: config([]) }),
        made('Microsoft.DocumentDB/databaseAccounts', 'autoscale', { capabilities: [] }),
        made('Microsoft.DocumentDB/databaseAccounts', 'serverless', {
          capabilities: [{ name: 'EnableServerless' }],
        }),
      ];
      azure.manager.groups.set('g', {
        ...{ name: 'g', location: 'x', tags: {}, deployments: new Map() },
        resources: new Map(resources.map((one) => [one.id, one])),
      });
      azure.manager.throughputs.set('autoscale/d/c', { max: 20_000, highest: 20_000 });
    });
    afterEach(() => void azure.manager.groups.delete('g'));

    test.each([
      ['more instances than the app may have', config([{ name: 'http', instanceCount: 41 }])],
      ['a group that is none', config([{ name: 'queue', instanceCount: 1 }])],
      ['half an instance', config([{ name: 'http', instanceCount: 0.5 }])],
      ['a configuration without its deployment', config([], { deployment: undefined })],
    ])('refuses %s', async (_title, functionAppConfig) => {
      const body = JSON.stringify({ properties: { functionAppConfig } });
      expect(await query(WEB, { method: 'PATCH', body })).toBe(400);
    });

    test.each([
      ['half a step', 'autoscale', { autoscaleSettings: { maxThroughput: 20_500 } }, 400],
      [
        'less than a tenth of the highest there was',
        'autoscale',
        { autoscaleSettings: { maxThroughput: 1_000 } },
        400,
      ],
      [
        'more than the container may have',
        'autoscale',
        { autoscaleSettings: { maxThroughput: 1_001_000 } },
        400,
      ],
      [
        'both kinds at once',
        'autoscale',
        { throughput: 400, autoscaleSettings: { maxThroughput: 4_000 } },
        400,
      ],
      [
        'throughput of a serverless account',
        'serverless',
        { autoscaleSettings: { maxThroughput: 4_000 } },
        400,
      ],
      [
        'throughput of an account that is not there',
        'none',
        { autoscaleSettings: { maxThroughput: 4_000 } },
        404,
      ],
    ])('answers a change of %s as the service does', async (_title, account, resource, status) => {
      const body = JSON.stringify({ properties: { resource } });
      expect(await query(settingsOf(account), { method: 'PUT', body })).toBe(status);
    });

    test('makes a change of throughput a few looks later, and takes no other one until then', async () => {
      const put = (maxThroughput: number) =>
        query(settingsOf('autoscale'), {
          method: 'PUT',
          body: JSON.stringify({ properties: { resource: { autoscaleSettings: { maxThroughput } } } }),
        });
      expect([await put(30_000), await put(40_000)]).toEqual([202, 409]);
      const pending = [];
      for (let look = 0; look < 4; look += 1) {
        const { properties } = (await json(await exchange(settingsOf('autoscale')))) as {
          properties: { resource: { offerReplacePending: string } };
        };
        pending.push(properties.resource.offerReplacePending);
      }
      expect(pending).toEqual(['true', 'true', 'false', 'false']);
    });
  });

  test('wants a location for a group', async () => {
    const put = { method: 'PUT', body: '{"tags":{}}' };
    expect(await query(`${GROUP}?api-version=2019-05-01`, put)).toBe(400);
    expect(await query(`${GROUP}?api-version=2019-05-01`, { method: 'PUT', body: '{"location":"x"}' })).toBe(
      201,
    );
  });

  test('polls a deployment until it has ended', async () => {
    await query(`${GROUP}?api-version=2019-05-01`, { method: 'PUT', body: '{"location":"x"}' });
    const url = `${GROUP}/providers/Microsoft.Resources/deployments/first?api-version=2019-05-01`;
    const body = JSON.stringify({ properties: sent({ app: 'a' }) });
    const begun = await exchange(url, { method: 'PUT', body });
    expect(await json(begun)).toMatchObject({ properties: { provisioningState: 'Running' } });
    const poll = String(begun.headers['azure-asyncoperation']);
    const made = (): number | undefined => azure.manager.groups.get('g')?.resources.size;
    expect(await json(await exchange(poll))).toEqual({ status: 'Running' });
    expect(made()).toBe(0);
    expect(await json(await exchange(poll))).toEqual({ status: 'Succeeded' });
    expect(made()).toBe(1);
    expect(await json(await exchange(url))).toMatchObject({
      properties: { provisioningState: 'Succeeded' },
    });
  });

  test('takes no package that is not a zip with a host.json', async () => {
    const publish = 'https://app.scm.azurewebsites.net/api/publish?RemoteBuild=false';
    const zip = { method: 'POST', headers: { 'content-type': 'application/zip' }, body: 'no zip' };
    expect(await query(publish, zip)).toBe(400);
    expect(azure.publishing.published.size).toBe(0);
  });

  test('refuses hosts that it does not know', async () => {
    expect(await query('https://graph.microsoft.com/v1.0/me')).toBe(502);
  });
});

describe('a resource provider', () => {
  const made = (type: string, properties: object) => ({
    id: type,
    type,
    name: 'one',
    apiVersion: '2024-01-01',
    made: true,
    dependsOn: [],
    body: { properties },
  });
  const flex = (siteConfig: object) =>
    made('Microsoft.Web/sites', { functionAppConfig: { runtime: { name: 'node' } }, siteConfig });

  // https://github.com/Azure/azure-cli/issues/31414
  test('refuses every property of siteConfig that Flex Consumption refuses, by name, also when it is null', () => {
    for (const name of REFUSED_ON_FLEX) {
      expect(propertyRefusal(flex({ [name]: null }))).toMatchObject({
        code: 'BadRequest',
        message: expect.stringMatching(
          new RegExp(`\\(Site\\.SiteConfig\\.${name}\\) for Flex Consumption sites is invalid`, 'i'),
        ),
      });
    }
    expect(propertyRefusal(flex({ FtpsState: 'Disabled', linuxFxVersion: '' }))?.message).toContain(
      'list of 2 site configuration properties (Site.SiteConfig.FtpsState, Site.SiteConfig.LinuxFxVersion)',
    );
    expect(propertyRefusal(flex({ minTlsVersion: '1.3', http20Enabled: true }))).toBeUndefined();
  });

  test('of another plan takes them', () => {
    const site = made('Microsoft.Web/sites', { siteConfig: { ftpsState: 'Disabled' } });
    expect(propertyRefusal(site)).toBeUndefined();
  });

  // The sources are beside the rules.
  test.each([
    ['Cosmos DB', 'Microsoft.DocumentDB/databaseAccounts', { minimalTlsVersion: 'Tls13' }],
    ['Storage', 'Microsoft.Storage/storageAccounts', { minimumTlsVersion: 'TLS1_3' }],
    ['Service Bus', 'Microsoft.ServiceBus/namespaces', { minimumTlsVersion: '1.1' }],
    ['Front Door', 'Microsoft.Cdn/profiles/customDomains', { tlsSettings: { minimumTlsVersion: 'TLS10' } }],
    [
      'Flex Consumption',
      'Microsoft.Web/sites',
      { functionAppConfig: { scaleAndConcurrency: { instanceMemoryMB: 1024 } } },
    ],
  ])('refuses a value that it does not offer: %s', (_name, type, properties) => {
    expect(propertyRefusal(made(type, properties))).toMatchObject({
      code: 'BadRequest',
      message: expect.stringContaining('is not supported'),
    });
  });
});
