'use strict';
/**
 * Uploading a package to a Flex Consumption app ("one deploy").
 * @see https://learn.microsoft.com/azure/azure-functions/functions-deployment-technologies#one-deploy
 */
const { setTimeout: sleep } = require('node:timers/promises');

/** The states of a deployment, as the deployment service numbers them. */
const FAILED = 3;
const SUCCEEDED = 4;
const CONFLICT = 5;
const PARTLY = 6;

/** A package is a few MB; unpacking and starting it takes seconds, ten minutes mean that something is wrong. */
const WAIT_MS_MAX = 10 * 60_000;
const POLL_MS = 2_000;

/**
 * Uploads a zip and waits until the app runs it.
 * @param {{ scmUrl: string, zip: Buffer, bearer: string, log: (line: string) => void, pollMs?: number, waitMsMax?: number }} options
 * @returns {Promise<void>}
 * @throws Error with the service's own words when the upload is refused, the deployment fails, or it never ends.
 */
exports.publishPackage = async ({ scmUrl, zip, bearer, log, pollMs = POLL_MS, waitMsMax = WAIT_MS_MAX }) => {
  const headers = { Authorization: `Bearer ${bearer}` };
  const uploaded = await fetch(`${scmUrl}/api/publish?RemoteBuild=false&Deployer=serverless`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/zip' },
    body: zip,
  });
  const response = await uploaded.text();
  if (!uploaded.ok) throw new Error(`publishing: HTTP ${uploaded.status}: ${response.slice(0, 500)}`);
  const id = response.replaceAll('"', '').trim();
  log(`-> package accepted, deployment ${id}`);

  const deadline = Date.now() + waitMsMax;
  while (Date.now() < deadline) {
    const polled = await fetch(`${scmUrl}/api/deployments/${id}`, { headers });
    // Not listed yet, or the deployment service is being restarted by this very deployment.
    if (polled.ok) {
      const { status, status_text: statusText } = await polled.json();
      if (status === SUCCEEDED || status === PARTLY) return log('-> package deployed');
      if (status === FAILED || status === CONFLICT) {
        throw new Error(`deployment ${id} failed (${status}): ${statusText ?? 'no reason given'}`);
      }
    } else {
      await polled.body?.cancel();
      if (polled.status !== 404 && polled.status < 500) {
        throw new Error(`deployment ${id}: HTTP ${polled.status} while waiting for it`);
      }
    }
    await sleep(pollMs);
  }
  throw new Error(`deployment ${id} did not end within ${waitMsMax / 1000} s`);
};
