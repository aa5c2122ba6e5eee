/** The issuer as a process: `main.ts --port 9400`. */
import { parseArgs } from 'node:util';
import { readWhole } from '@tandem-clouds/command-line/numbers';
import { startIssuer } from '@tandem-clouds/emulators/oidc/server';
import { endAtStart } from '../exit-codes.ts';
import { announce } from '../run-registry.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '9400' } } });
  const issuer = await startIssuer({ port: readWhole(values.port, { name: '--port', min: 0, max: 65_535 }) });
  const stop = (): void => void issuer.close().finally(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  announce('issuer', { http: issuer.url });
}

main().catch(endAtStart);
