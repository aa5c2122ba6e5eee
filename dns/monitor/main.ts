/** `npm run monitor` and `npm run runbook`: the first argument says which. `--help` lists the options. */
import { runCommand } from '../../scripts/command/run-command.ts';
import { systemSurroundings } from '../command/system.ts';
import { runMonitor, runRunbook } from './run.ts';
import { readSettings } from './settings.ts';

const [which, ...args] = process.argv.slice(2);
await runCommand(() => {
  const settings = readSettings();
  const run = which === 'monitor' ? runMonitor : runRunbook;
  return run(args, systemSurroundings(settings), settings);
});
