/** Deployments to Azure that end on the way, and the one after them that succeeds. */
import assert from 'node:assert/strict';
import { readServiceBundles } from '../../bench/service-bundles.ts';
import { APP, DEPLOY, GROUP, refuses, type RehearsalRun, succeeds, typesIn } from './rehearsal-run.ts';

export async function halfFailed(run: RehearsalRun): Promise<void> {
  const { report, azure } = run;
  const { manager } = azure;
  await report.step(
    'azure',
    'deploy to a region without Flex Consumption: named, nothing in the group',
    async () => {
      manager.refusesAtOnce = ({ type }) =>
        type === 'Microsoft.Web/serverfarms'
          ? {
              code: 'LocationNotAvailableForResourceType',
              message: `The provided location 'westeurope' is not available for resource type 'Microsoft.Web/serverfarms'.`,
            }
          : undefined;
      const reported = await refuses(
        run,
        DEPLOY,
        /'westeurope' is not available[^]*Microsoft\.Web\/serverfarms/,
      );
      manager.refusesAtOnce = () => undefined;
      assert.deepEqual(typesIn(run), []);
      return reported;
    },
  );
  await report.step('azure', 'deploy under a name that is taken: named, what was made stays', async () => {
    manager.refuses = ({ type }) =>
      type === 'Microsoft.Web/sites'
        ? { code: 'Conflict', message: `Website with given name ${APP} already exists.` }
        : undefined;
    const reported = await refuses(
      run,
      DEPLOY,
      /Microsoft\.Web\/sites[^]*name rehearsed-tandem already exists/,
    );
    manager.refuses = () => undefined;
    assert.ok(typesIn(run).length > 0);
    assert.ok(!typesIn(run).includes('Microsoft.Web/sites'));
    return [...reported, `left: ${typesIn(run).length} types of resources, which the next deploy takes over`];
  });
  await report.step(
    'azure',
    'deploy with another mistake after a failed one: the new mistake is told',
    async () => {
      manager.refusesAtOnce = ({ type }) =>
        type === 'Microsoft.DocumentDB/databaseAccounts'
          ? { code: 'SubscriptionQuotaExceeded', message: 'No more accounts in this subscription.' }
          : undefined;
      const reported = await refuses(run, DEPLOY, /No more accounts in this subscription/);
      manager.refusesAtOnce = () => undefined;
      return reported;
    },
  );
  for (const fault of ['upload', 'deployment'] as const) {
    await report.step('azure', `deploy whose package is refused (${fault}): reported as failed`, async () => {
      azure.publishing.fault = fault;
      const reported = await refuses(run, DEPLOY, fault === 'upload' ? /HTTP 500/ : /no space left/);
      azure.publishing.fault = undefined;
      assert.equal(azure.publishing.published.size, 0);
      return reported;
    });
  }
  await report.step('azure', 'the next deploy succeeds: template made, package published', async () => {
    await succeeds(run, DEPLOY);
    const expected = Object.keys(readServiceBundles('azure').functions);
    assert.deepEqual([...(azure.publishing.published.get(APP) ?? [])].sort(), expected.sort());
    const types = typesIn(run);
    for (const type of [
      'Microsoft.Web/sites',
      'Microsoft.DocumentDB/databaseAccounts',
      'Microsoft.ServiceBus/namespaces',
    ])
      assert.ok(types.includes(type), type);
    const { resources } = manager.groups.get(GROUP) ?? { resources: new Map() };
    return [`${resources.size} resources of ${types.length} types, ${expected.length} functions`];
  });
}
