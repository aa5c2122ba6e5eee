/**
 * The console of a stack in a process of its own: `main.ts --stack .tandem --port 4400`. What it needs is loaded when somebody
 * first opens it.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readWhole } from '@tandem-clouds/command-line/numbers';
import { endAtStart } from '@tandem-clouds/local/exit-codes';
import { listenLazily } from '@tandem-clouds/local/processes/lazy-server';
import { announce } from '@tandem-clouds/local/run-registry';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { stack: { type: 'string', default: '.tandem' }, port: { type: 'string', default: '4400' } },
  });
  const server = await listenLazily(
    readWhole(values.port, { name: '--port', min: 0, max: 65_535 }),
    async () => {
      const { openConsole } = await import('./open-console.ts');
      const stack = path.resolve(values.stack);
      return openConsole({ stack, sites: [] }, path.join(stack, 'audit.jsonl'));
    },
  );
  const stop = (): void => void server.close().finally(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  announce('console', { http: `http://127.0.0.1:${server.port}` });
}

main().catch(endAtStart);
