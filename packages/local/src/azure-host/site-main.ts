/** The functions' process of an Azure site under `npm start`. Everything that it is told is in its environment. */
import path from 'node:path';
import { serveCode } from '../code/serve-code.ts';
import { nameAsReleased } from '../site-release.ts';
import { AzureLiveSite } from './live-site.ts';

const PROJECT_DIR = path.join(import.meta.dirname, '../../../..');
const { TANDEM_BUILD_DIR = '', TANDEM_BRIDGE_INSPECT } = process.env;

nameAsReleased();
serveCode(
  new AzureLiveSite({
    projectDir: PROJECT_DIR,
    buildDir: path.resolve(PROJECT_DIR, TANDEM_BUILD_DIR),
    print: (line) => process.stdout.write(`${line}\n`),
    ...(TANDEM_BRIDGE_INSPECT !== undefined && { bridgeInspect: TANDEM_BRIDGE_INSPECT }),
  }),
);
