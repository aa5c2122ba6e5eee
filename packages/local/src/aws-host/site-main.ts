/** The functions' process of an AWS site under `npm start`. Everything that it is told is in its environment. */
import path from 'node:path';
import { readWhole } from '@tandem-clouds/command-line/numbers';
import { serveCode } from '../code/serve-code.ts';
import { nameAsReleased } from '../site-release.ts';
import { AwsLiveSite } from './live-site.ts';

const PROJECT_DIR = path.join(import.meta.dirname, '../../../..');
const { TANDEM_SITE = '', TANDEM_BUILD_DIR = '', TANDEM_HTTP_PORT = '', TANDEM_BRIDGE_INSPECT } = process.env;

nameAsReleased();
process.setSourceMapsEnabled(true);
serveCode(
  new AwsLiveSite({
    projectDir: PROJECT_DIR,
    site: TANDEM_SITE,
    buildDir: path.resolve(PROJECT_DIR, TANDEM_BUILD_DIR),
    httpPort: readWhole(TANDEM_HTTP_PORT, { name: 'TANDEM_HTTP_PORT', min: 0, max: 65_535 }),
    print: (line) => process.stderr.write(`${line}\n`),
    ...(TANDEM_BRIDGE_INSPECT !== undefined && { bridgeInspect: TANDEM_BRIDGE_INSPECT }),
  }),
);
