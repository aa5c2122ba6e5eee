/**
 * The collector of traces, metrics and logs in a process of its own, which outlives every site:
 * `traces-main.ts --port 4318 --file telemetry.sqlite`. What it keeps of traces and logs outlives it, in the file.
 */
import { parseArgs } from 'node:util';
import { readWhole } from '@tandem-clouds/command-line/numbers';
import { startCollector, TRACES_PATH } from '@tandem-clouds/emulators/otlp/server';
import { endAtStart } from '../exit-codes.ts';
import { announce } from '../run-registry.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '4318' }, file: { type: 'string' } },
  });
  const collector = await startCollector({
    port: readWhole(values.port, { name: '--port', min: 0, max: 65_535 }),
    file: values.file,
  });
  const stop = (): void => void collector.close().finally(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  announce('traces', { http: collector.url, list: collector.url + TRACES_PATH });
}

main().catch(endAtStart);
