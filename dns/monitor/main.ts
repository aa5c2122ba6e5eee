/** `npm run monitor` and `npm run runbook`: the first argument says which. `--help` lists the options. */
import { systemSurroundings } from '../command/system.ts';
import { TrafficError } from '../errors.ts';
import { runMonitor, runRunbook } from './run.ts';
import { readSettings } from './settings.ts';

const [which, ...args] = process.argv.slice(2);
try {
  const settings = readSettings();
  const run = which === 'monitor' ? runMonitor : runRunbook;
  process.exitCode = await run(args, systemSurroundings(settings), settings);
} catch (error) {
  if (!(error instanceof TrafficError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
