/**
 * `rehearse`: deployments of both clouds from beginning to end, and what can go wrong on the way, with the
 * real commands, without an account. AWS against moto, which is installed into `.peers/` on demand; Azure against a
 * emulator of ours. What this cannot show: docs/rehearsal.md.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { moto } from '@tandem-clouds/testkit/peers/moto';
import { Unavailable } from '@tandem-clouds/testkit/peers/peer';
import { rehearseAws } from './rehearse/aws/rehearsal.ts';
import { rehearseAzure } from './rehearse/azure/rehearsal.ts';
import { prepareWorkplace } from './rehearse/command.ts';
import { type Cloud, inTable, startReport } from './rehearse/report.ts';
import { filesWith, plant } from './rehearse/secrets.ts';

const ROOT = path.join(import.meta.dirname, '..');
const CLOUDS: readonly Cloud[] = ['aws', 'azure'];

const report = startReport();

/** Returns the exit status. @param only This cloud; undefined: both. */
export async function rehearse({ only }: { readonly only: Cloud | undefined }): Promise<number> {
  const skipped: string[] = [];
  let failed = false;
  for (const cloud of CLOUDS.filter((one) => only === undefined || one === only)) {
    try {
      if (cloud === 'aws') await aws();
      else await azure();
    } catch (error) {
      if (error instanceof Unavailable) {
        skipped.push(`SKIPPED ${cloud}: ${error.message}`);
        console.log(skipped.at(-1));
      } else {
        failed = true;
        console.error(error);
      }
    }
  }
  console.log(`\n${inTable(report)}\n${skipped.join('\n')}`);
  const limits = fs.readFileSync(path.join(ROOT, 'docs/rehearsal.md'), 'utf8');
  console.log(limits.slice(limits.indexOf('## What it cannot show')));
  return failed ? 1 : 0;
}

async function aws(): Promise<void> {
  moto.prepare();
  const secrets = { AWS_SECRET_ACCESS_KEY: plant('key'), AWS_SESSION_TOKEN: plant('session') };
  const credentials = { AWS_ACCESS_KEY_ID: 'ASIA00000000REHEARSE', ...secrets };
  await withWorkplace('aws', Object.values(secrets), (place) => rehearseAws(report, place, credentials));
}

async function azure(): Promise<void> {
  const secrets = { assertion: plant('assertion'), token: plant('token') };
  // The file with the assertion, which a pipeline holds too, is outside of what is searched.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rehearse-'));
  try {
    await withWorkplace('azure', Object.values(secrets), (place) =>
      rehearseAzure(report, place, secrets, folder),
    );
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Rehearses in a folder of its own, and then looks for the secrets in all that is left in it. */
async function withWorkplace(
  cloud: Cloud,
  secrets: readonly string[],
  work: (place: ReturnType<typeof prepareWorkplace>) => Promise<void>,
): Promise<void> {
  const folder = path.join(ROOT, '.artifacts/rehearsal', cloud);
  const place = prepareWorkplace(folder, secrets);
  await work(place);
  await report.step(cloud, 'no credential in any package, log, cache or list of processes', () => {
    const found = [...filesWith(secrets, folder), ...place.leaks];
    if (found.length > 0) return Promise.reject(new Error(`credentials in: ${found.join(', ')}`));
    return Promise.resolve();
  });
}
