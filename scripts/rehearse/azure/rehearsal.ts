/** The Azure site from the first deployment to its end, and what can go wrong on the way, against the emulator of its control plane. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { Login } from '@tandem-clouds/emulators/azure-control-plane/entra';
import { startAzureControlPlane } from '@tandem-clouds/emulators/azure-control-plane/server';
import { reported, type Workplace } from '../command.ts';
import type { Report } from '../report.ts';
import { halfFailed } from './half-failed.ts';
import { OUR_PACKAGES } from './packages.ts';
import { beforeAnything } from './refusals.ts';
import {
  APP,
  DEPLOY,
  FIRST,
  GROUP,
  refuses,
  type RehearsalRun,
  SUBSCRIPTION,
  succeeds,
} from './rehearsal-run.ts';

/** The assertion of the pipeline and the token it is exchanged for: secrets, to be searched for afterwards. */
export type AzureSecrets = Pick<Login, 'assertion' | 'token'>;

/** @param home A folder for the file that holds the assertion, outside of what is searched for secrets. */
export async function rehearseAzure(
  report: Report,
  place: Workplace,
  secrets: AzureSecrets,
  home: string,
): Promise<void> {
  const login = {
    tenant: '99999999-0000-0000-0000-000000000001',
    client: '99999999-0000-0000-0000-000000000002',
  };
  const azure = await startAzureControlPlane({
    subscription: SUBSCRIPTION,
    login: { ...login, ...secrets },
    packages: OUR_PACKAGES,
  });
  const assertion = path.join(home, 'assertion');
  fs.writeFileSync(assertion, secrets.assertion, { mode: 0o600 });
  const signedIn = {
    AZURE_TENANT_ID: login.tenant,
    AZURE_CLIENT_ID: login.client,
    AZURE_FEDERATED_TOKEN_FILE: assertion,
    AZURE_SUBSCRIPTION_ID: SUBSCRIPTION,
  };
  const run: RehearsalRun['run'] = async (args, env = signedIn) => {
    azure.requested.length = 0;
    const site = ['-c', 'serverless.azure.yml', '--region', 'westeurope', '--param', `app=${APP}`];
    return place.sls(azure.port, [...args, ...site], env);
  };
  const rehearsal = { report, place, azure, run };
  try {
    await beforeAnything(rehearsal, signedIn);
    await halfFailed(rehearsal);
    await update(rehearsal);
    await remove(rehearsal);
  } finally {
    await azure.close();
  }
}

function setting({ azure }: RehearsalRun, name: string): unknown {
  const sites = [...(azure.manager.groups.get(GROUP)?.resources.values() ?? [])];
  const properties = sites.find(({ type }) => type === 'Microsoft.Web/sites')?.body['properties'] as
    { siteConfig: { appSettings: readonly { name: string; value: unknown }[] } } | undefined;
  return properties?.siteConfig.appSettings.find((one) => one.name === name)?.value;
}

async function update(run: RehearsalRun): Promise<void> {
  const { report, azure } = run;
  const count = (): number => azure.manager.groups.get(GROUP)?.resources.size ?? 0;
  await report.step('azure', 'update: a parameter changes, nothing else', async () => {
    const before = count();
    assert.equal(setting(run, 'TANDEM_REBUILDING'), 'false');
    await succeeds(run, ['deploy', '--param', 'rebuilding=true']);
    assert.equal(setting(run, 'TANDEM_REBUILDING'), 'true');
    assert.equal(count(), before);
  });
  await report.step('azure', 'back by deploying the earlier package', async () => {
    await succeeds(run, DEPLOY);
    assert.equal(setting(run, 'TANDEM_REBUILDING'), 'false');
    assert.ok(azure.requested.some((one) => one.includes('/api/publish')));
  });
  await report.step('azure', 'the same again: the template is not sent, the package is', async () => {
    await succeeds(run, DEPLOY);
    assert.ok(!azure.requested.some((one) => one.startsWith('PUT') && one.includes('/deployments/')));
    assert.ok(azure.requested.some((one) => one.includes('/api/publish')));
  });
  await report.step('azure', 'update with an expired token: refused, nothing changed', async () => {
    azure.expired = true;
    const reported = await refuses(
      run,
      ['deploy', '--package', FIRST, '--param', 'rebuilding=true'],
      /token expiry/,
    );
    azure.expired = false;
    assert.equal(setting(run, 'TANDEM_REBUILDING'), 'false');
    return reported;
  });
}

async function remove(run: RehearsalRun): Promise<void> {
  const { report, azure } = run;
  await report.step('azure', '`sls remove` with an expired token: refused, all is there', async () => {
    azure.expired = true;
    const ran = await run.run(['remove', '--force']);
    azure.expired = false;
    assert.notEqual(ran.code, 0, ran.output);
    assert.equal(azure.manager.groups.size, 1);
    return reported(ran);
  });
  await report.step('azure', '`sls remove`: nothing is left but the name of the vault', async () => {
    await succeeds(run, ['remove', '--force']);
    assert.equal(azure.manager.groups.size, 0);
  });
  await report.step('azure', 'deploy again: refused until the vault is purged', async () => {
    const reported = await refuses(run, DEPLOY, /KeyVault[^]*deleted state[^]*purge/);
    azure.manager.softDeleted.clear();
    await succeeds(run, DEPLOY);
    await succeeds(run, ['remove', '--force']);
    assert.equal(azure.manager.groups.size, 0);
    return reported;
  });
}
