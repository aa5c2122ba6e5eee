/** The commands `runbook` and `monitor`. */
import { command } from '@tandem-clouds/command-line/command';
import { flag, folder, text } from '@tandem-clouds/command-line/option';
import { SETTINGS_HELP } from '../monitor/settings.ts';
import type { CommandContext } from './command-context.ts';
import { PLACE_OPTIONS } from './command-line.ts';
import type { MonitorCommandContext } from './monitor-line.ts';

const COMMON = {
  ...PLACE_OPTIONS,
  runbooks: folder('the runbooks', { default: 'dns/runbooks' }),
  incidents: folder('where openIncident writes', {
    fallback: 'docs/incidents; with provider: local, .tandem/incidents',
  }),
  json: flag('one JSON object a line'),
};

const LOCAL = '--policy dns/local.policy.yml';

export const runbook = command({
  name: 'runbook',
  summary: 'list the runbooks, or carry one out on your word',
  details: `A runbook is carried out as its trigger would have it. The guards are the same: the last healthy site is never taken
out, and one runs at a time.

${SETTINGS_HELP}`,
  args: { name: text('which one', { placeholder: 'name', fallback: 'list them' }) },
  options: {
    site: text('which one, where the runbook is for several', { placeholder: 'site' }),
    over: flag('the way back'),
    dryRun: flag('show what would be done, and change nothing'),
    yes: flag('do not ask'),
    ...COMMON,
  },
  examples: [
    { line: `runbook ${LOCAL}`, shows: 'what there is' },
    { line: `runbook aws-lost --dry-run ${LOCAL}`, shows: 'what would be done' },
  ],
  run: async (line, commandContext: MonitorCommandContext) =>
    (await import('./run-monitor.ts')).carryOutRunbook(line, commandContext),
});

export const monitor = command({
  name: 'monitor',
  summary: 'watch every site, and carry out the runbooks whose triggers fire',
  details: `Several monitors do not get in each other's way. Prints what changes.

${SETTINGS_HELP}`,
  options: { once: flag('until nothing is about to be decided, a minute at most'), ...COMMON },
  examples: [{ line: `monitor --once ${LOCAL}`, shows: 'one round over the stack of npm start' }],
  run: async (line, commandContext: MonitorCommandContext) =>
    (await import('./run-monitor.ts')).watch(line, commandContext),
});

export const acknowledge = command({
  name: 'acknowledge',
  summary: 'take an incident on, so that it is not escalated',
  details: `The zone says who and why; every monitor reads it there. It holds until the incident is over: one that comes back
needs another.`,
  args: {
    runbook: text('whose incident', { placeholder: 'runbook', required: true }),
    site: text('as the policy names it', { placeholder: 'site', required: true }),
  },
  options: {
    why: text('what is being done about it', { placeholder: 'text', required: true }),
    by: text('who', { placeholder: 'name', fallback: 'the name that you are logged in with' }),
    ...PLACE_OPTIONS,
    incidents: COMMON.incidents,
    json: flag('the incident as JSON'),
  },
  examples: [
    {
      line: `acknowledge aws-lost aws-us-east-1 --why "the region is down" ${LOCAL}`,
      shows: 'you take it on',
    },
  ],
  run: async (line, commandContext: CommandContext) =>
    (await import('./acknowledge-command.ts')).acknowledgeCommand(line, commandContext),
});
