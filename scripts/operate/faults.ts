/** `tandem fault`: what fails at the stack on this machine because somebody wanted it to. */
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { aligned } from '@tandem-clouds/command-line/table';
import type { FaultOrder, ImposedFault } from '@tandem-clouds/local/faults/fault-order';
import { localFaults } from '@tandem-clouds/local/faults/local-faults';

export interface FaultOptions {
  /** A `stack.json`, or the folder it is in. */
  readonly stack: string;
  readonly json: boolean;
}

/** Returns the exit status. @throws FaultError, as all of them. */
export async function listFaults({ stack, json }: FaultOptions, { out }: CommandContext): Promise<number> {
  const on = await localFaults(stack).list();
  if (json) for (const fault of on) out(`${JSON.stringify(fault)}\n`);
  else if (on.length === 0) out('No fault is on.\n');
  else out(`${aligned([['id', 'since', 'until', 'what'], ...on.map(rowOf)]).join('\n')}\n`);
  return 0;
}

export async function imposeFault(
  order: FaultOrder,
  { stack, json }: FaultOptions,
  { out }: CommandContext,
): Promise<number> {
  const fault = await localFaults(stack).impose(order);
  if (json) out(`${JSON.stringify(fault)}\n`);
  else out(`${fault.sentence}\n${endOf(fault)}\n`);
  return 0;
}

/** @param id Or `all`. */
export async function liftFault(
  id: string,
  { stack, json }: FaultOptions,
  { out }: CommandContext,
): Promise<number> {
  const faults = localFaults(stack);
  const on = (await faults.list()).filter((fault) => id === 'all' || fault.id === id);
  await (id === 'all' ? faults.liftAll() : faults.lift(id));
  if (json) for (const fault of on) out(`${JSON.stringify({ lifted: fault.id })}\n`);
  else if (on.length === 0) out('No fault was on.\n');
  else for (const fault of on) out(`${fault.id} is lifted.${comesBack(fault)}\n`);
  return 0;
}

function rowOf({ id, since, until = '-', sentence }: ImposedFault): string[] {
  return [id, since, until, sentence];
}

function endOf({ id, until }: ImposedFault): string {
  const lifted = `npm run tandem -- fault lift ${id}`;
  return until === undefined ? `To end it: ${lifted}` : `It ends at ${until}, or before: ${lifted}`;
}

function comesBack({ kind, site }: ImposedFault): string {
  return kind === 'stop' ? ` ${site} is started again; that takes some seconds.` : '';
}
