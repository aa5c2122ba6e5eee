/** Commands that make a cloud of the stack on this machine fail, by name, and end that again. */
import { command, type CommandContext, type Group } from '@tandem-clouds/command-line/command';
import { duration, file, flag, text, whole } from '@tandem-clouds/command-line/option';
import { FOR_MS_MAX, SITE_FAULTS, SLOW_MS_MAX } from '@tandem-clouds/local/faults/fault-order';

const DEFAULT_STACK = '.tandem/stack.json';
const DETAILS = `It stays until it is lifted or npm start ends, also when this command is long over.`;
const SITE = text('the site that fails', { placeholder: 'site', required: true });
const COMMON = {
  stack: file('the stack that runs on this machine, or its folder', { fallback: DEFAULT_STACK }),
  json: flag('one JSON object a line'),
};
const IMPOSING = {
  for: duration('lifted by itself after that', { unit: 's', min: 1, max: FOR_MS_MAX / 1_000 }),
  ...COMMON,
};

interface CommonInput {
  readonly stack: string | undefined;
  readonly json: boolean;
}

const optionsOf = ({ stack = DEFAULT_STACK, json }: CommonInput) => ({ stack, json });
const lasting = (forMs: number | undefined) => (forMs === undefined ? {} : { forMs });

const SUMMARIES: Readonly<Record<(typeof SITE_FAULTS)[number], string>> = {
  stop: 'kill a whole cloud, and keep it away',
  freeze: 'a cloud that answers nothing, and to which connections hang',
  errors: 'a store and queues that answer with errors',
  throttle: 'a store and queues that refuse, as when too much is asked of them',
};

export const faults: Group<CommandContext> = {
  name: 'fault',
  summary: 'make a cloud of the stack on this machine fail, and end that again',
  commands: [
    command({
      name: 'fault list',
      summary: 'what is on, since when, and what it does',
      options: COMMON,
      examples: [{ line: 'fault list --json', shows: 'for a program' }],
      run: async (input, context: CommandContext) =>
        (await import('../operate/faults.ts')).listFaults(optionsOf(input), context),
    }),
    ...SITE_FAULTS.map((kind) =>
      command({
        name: `fault ${kind}`,
        summary: SUMMARIES[kind],
        details: DETAILS,
        args: { site: SITE },
        options: IMPOSING,
        examples: [{ line: `fault ${kind} azure-eastus --for 60s`, shows: 'for a minute' }],
        run: async ({ site, for: forMs, ...input }, context: CommandContext) =>
          (await import('../operate/faults.ts')).imposeFault(
            { kind, site, ...lasting(forMs) },
            optionsOf(input),
            context,
          ),
      }),
    ),
    command({
      name: 'fault slow',
      summary: 'a store and queues that take longer for every call',
      details: DETAILS,
      args: { site: SITE },
      options: {
        ms: whole('milliseconds more for each call', { min: 1, max: SLOW_MS_MAX, default: '500' }),
        ...IMPOSING,
      },
      examples: [{ line: 'fault slow azure-eastus --ms 300', shows: 'a third of a second a call' }],
      run: async ({ site, ms, for: forMs, ...input }, context: CommandContext) =>
        (await import('../operate/faults.ts')).imposeFault(
          { kind: 'slow', site, ms, ...lasting(forMs) },
          optionsOf(input),
          context,
        ),
    }),
    command({
      name: 'fault partition',
      summary: 'one site that cannot reach another; what it cannot send is kept and shown by status',
      details: `Connections to the queues and the objects of the other one are refused. ${DETAILS}`,
      args: {
        site: text('the site that sends', { placeholder: 'site', required: true }),
        peer: text('the site that it cannot reach', { placeholder: 'site', required: true }),
      },
      options: { both: flag('nor the other way'), ...IMPOSING },
      examples: [
        { line: 'fault partition aws-us-east-1 azure-eastus', shows: 'one way' },
        { line: 'fault partition aws-us-east-1 azure-eastus --both', shows: 'both ways' },
      ],
      run: async ({ site, peer, both, for: forMs, ...input }, context: CommandContext) =>
        (await import('../operate/faults.ts')).imposeFault(
          { kind: 'partition', site, peer, both, ...lasting(forMs) },
          optionsOf(input),
          context,
        ),
    }),
    command({
      name: 'fault lift',
      summary: 'end one, or all',
      args: { id: text('as fault list names it, or all', { placeholder: 'id', required: true }) },
      options: COMMON,
      examples: [
        { line: 'fault lift stop:azure-eastus', shows: 'one of them' },
        { line: 'fault lift all', shows: 'all of them' },
      ],
      run: async ({ id, ...input }, context: CommandContext) =>
        (await import('../operate/faults.ts')).liftFault(id, optionsOf(input), context),
    }),
  ],
};
