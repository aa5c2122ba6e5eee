/** The artefacts of `npm run package`, which is what is deployed: peers run just these. */
import fs from 'node:fs';
import path from 'node:path';
import { packageBoth } from '../../../../infra/rollout/package.ts';
import { keptReleases } from '../../../../infra/rollout/releases.ts';
import { Unavailable } from './peer.ts';

const ARTIFACTS = path.join(import.meta.dirname, '../../../../.artifacts');
const MARKS = { aws: 'aws/cloudformation-template-update-stack.json', azure: 'azure/tandem.zip' } as const;

/** Packages when there is no package, and says which one it is. @throws Unavailable when packaging fails. */
export function needPackage(cloud: keyof typeof MARKS): void {
  const mark = path.join(ARTIFACTS, MARKS[cloud]);
  if (!fs.existsSync(mark) && packageBoth({ aws: [], azure: [] }) !== 0) {
    throw new Unavailable('the packages could not be made (npm run package)');
  }
  const madeAt = fs.statSync(mark).mtime.toISOString();
  console.log(
    `the package of ${cloud} is from ${madeAt}, the latest release ${keptReleases()[0]?.version ?? 'unknown'}; for another: npm run package`,
  );
}
