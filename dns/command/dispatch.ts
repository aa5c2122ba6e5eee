/** Does what a command line of `dns` says. */
import type { CommandContext } from './command-context.ts';
import type { CommandLine } from './line.ts';
import { findPlace } from './place.ts';
import { trafficCommand } from './traffic-commands.ts';
import { applyCommand, type Context, dumpCommand, planCommand, statusCommand } from './zone-commands.ts';

/** Returns the exit status. @throws TrafficError, UsageError or WriteError: what is expected to go wrong. */
export async function dispatch(line: CommandLine, commandContext: CommandContext): Promise<number> {
  const { policy, provider } = await findPlace(line, commandContext);
  const context: Context = { line, policy, provider, commandContext };
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
