/** Deployments to Azure by somebody who may not: refused before anything is made. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { DEPLOY, FIRST, refuses, type RehearsalRun, SUBSCRIPTION, succeeds } from './rehearsal-run.ts';

export async function beforeAnything(run: RehearsalRun, signedIn: Record<string, string>): Promise<void> {
  const { report, place, azure } = run;
  const none = (): void => assert.equal(azure.manager.groups.size, 0);
  await report.step('azure', 'packages', async () => {
    await succeeds(run, ['package']);
    fs.copyFileSync(path.join(place.dir, '.artifacts/azure/tandem.zip'), path.join(place.dir, FIRST));
    assert.deepEqual(azure.requested, [], 'packaging asks nobody');
  });
  await report.step('azure', 'deploy without a login: refused, nothing made', async () => {
    const reported = await refuses(run, DEPLOY, /no login to Azure: sign in with/, {
      AZURE_SUBSCRIPTION_ID: SUBSCRIPTION,
    });
    none();
    return reported;
  });
  await report.step('azure', 'deploy without a subscription: refused, nothing made', async () => {
    const { AZURE_SUBSCRIPTION_ID: _none, ...rest } = signedIn;
    const reported = await refuses(run, DEPLOY, /no subscription: set AZURE_SUBSCRIPTION_ID/, rest);
    none();
    return reported;
  });
  await report.step('azure', 'deploy to a subscription of others: refused, nothing made', async () => {
    const other = { ...signedIn, AZURE_SUBSCRIPTION_ID: '00000000-dead-beef-0000-000000000000' };
    const reported = await refuses(
      run,
      DEPLOY,
      /subscription '00000000-dead-beef.*could not be found/,
      other,
    );
    none();
    return reported;
  });
  await report.step('azure', 'deploy with an expired assertion: refused, nothing made', async () => {
    const stale = path.join(path.dirname(signedIn['AZURE_FEDERATED_TOKEN_FILE'] ?? ''), 'stale');
    fs.writeFileSync(stale, 'header.stale.signature');
    const reported = await refuses(run, DEPLOY, /AADSTS700024/, {
      ...signedIn,
      AZURE_FEDERATED_TOKEN_FILE: stale,
    });
    none();
    return reported;
  });
  await report.step('azure', 'deploy with an expired token: refused, nothing made', async () => {
    azure.expired = true;
    const reported = await refuses(run, DEPLOY, /token expiry/);
    azure.expired = false;
    none();
    return reported;
  });
}
