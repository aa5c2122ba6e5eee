/** Chooses the command. What is expected to go wrong becomes a message and a status; anything else is a defect. */
import { UsageError } from '../scripts/command/usage-error.ts';
import { WriteError } from '../scripts/command/write-file.ts';
import { parseCommandLine, USAGE, type CommandLine } from './command/command-line.ts';
import { findPlace } from './command/local-stack.ts';
import type { Surroundings } from './command/surroundings.ts';
import { trafficCommand } from './command/traffic-commands.ts';
import {
  applyCommand,
  dumpCommand,
  planCommand,
  statusCommand,
  type Context,
} from './command/zone-commands.ts';
import { TrafficError } from './errors.ts';

const FAILED = 1;
const USAGE_STATUS = 2;

/** Returns the exit status. */
export async function runDns(args: readonly string[], around: Surroundings): Promise<number> {
  try {
    const line = parseCommandLine(args);
    if (line === undefined) {
      around.out(USAGE);
      return 0;
    }
    return await command(line, around);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof TrafficError || error instanceof WriteError))
      throw error;
    around.err(`${error.message}\n`);
    if (!(error instanceof UsageError)) return FAILED;
    around.err('npm run dns -- --help lists the commands.\n');
    return USAGE_STATUS;
  }
}

async function command(line: CommandLine, around: Surroundings): Promise<number> {
  const { policy, provider } = await findPlace(line, around);
  const context: Context = { line, policy, provider, around };
  switch (line.command) {
    case 'plan':
      return planCommand(context);
    case 'apply':
      return applyCommand(context);
    case 'status':
      return statusCommand(context);
    case 'dump':
      return dumpCommand(context);
    case 'shift':
    case 'drain':
    case 'failover':
    case 'restore':
      return trafficCommand(context);
  }
}
