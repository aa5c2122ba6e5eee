/**
 * Everything that `npm run tandem -- <command>` can do. A new command is a declaration (see packages/command-line/src/command.ts) and
 * its line here; help, errors, completion and the tests that hold for every command follow from it.
 */
import { createRequire } from 'node:module';
import { command, type CommandContext, type Program } from '@tandem-clouds/command-line/command';
import { completionScript, SHELLS } from '@tandem-clouds/command-line/completion';
import { choice } from '@tandem-clouds/command-line/option';
import { ROOT } from '@tandem-clouds/command-line/process-context';
import { emulatorsCommand } from '@tandem-clouds/emulators/command';
import { start } from '@tandem-clouds/local/stack/start-command';
import { backup, exportOfSite, importOfSite, restore } from './backup.ts';
import { bench } from './bench.ts';
import {
  azureTemplate,
  diagrams,
  generate,
  lintInfra,
  newThings,
  pictures,
  testE2e,
  testPeers,
} from './develop.ts';
import { faults } from './faults.ts';
import {
  analytics,
  comparisons,
  conflicts,
  consoleOfSites,
  deadLetters,
  ledger,
  logs,
  metrics,
  objects,
  pauses,
  promote,
  reactions,
  status,
  stock,
  token,
  traces,
} from './operate.ts';
import { person } from './person.ts';
import { chaos, cost, drill, evidence, simulate } from './prove.ts';
import {
  contract,
  firstCheck,
  packages,
  rehearse,
  releaseFixture,
  rollback,
  rollout,
  smoke,
} from './release.ts';
import { schema } from './schema.ts';
import { sql } from './sql.ts';
import { storefront } from './storefront.ts';
import { acknowledge, dns, monitor, runbook } from './traffic.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

const completion = command({
  name: 'completion',
  summary: 'a script for your shell: the command tandem, completed by the tab key',
  details:
    'For every new shell: put the line of the example into ~/.bashrc, ~/.zshrc or ~/.config/fish/config.fish.',
  args: { shell: choice('yours', SHELLS, { required: true }) },
  examples: [
    { line: 'completion bash', shows: 'source <(npm run -s tandem -- completion bash)' },
    { line: 'completion zsh', shows: 'source <(npm run -s tandem -- completion zsh)' },
    { line: 'completion fish', shows: 'npm run -s tandem -- completion fish | source' },
  ],
  run: ({ shell }, { out }: CommandContext) => {
    out(completionScript(PROGRAM, shell, ROOT));
    return 0;
  },
});

export const PROGRAM: Program<CommandContext> = {
  call: 'npm run tandem --',
  summary: 'Tandem: one codebase, live on AWS and on Azure at the same time.',
  version: `tandem ${version}`,
  sections: [
    { title: 'On this machine', entries: [start, faults, emulatorsCommand('emulators'), token] },
    {
      title: 'Operate',
      entries: [
        status,
        consoleOfSites,
        traces,
        logs,
        metrics,
        ...pauses,
        promote,
        ...comparisons,
        conflicts,
        person,
        objects,
        stock,
        ledger,
        analytics,
        sql,
        deadLetters,
        reactions,
        backup,
        restore,
        exportOfSite,
        importOfSite,
      ],
    },
    { title: 'Traffic', entries: [dns, monitor, runbook, acknowledge] },
    { title: 'Prove', entries: [simulate, chaos, drill, bench, cost, evidence] },
    {
      title: 'Release',
      entries: [
        packages,
        rollout,
        rollback,
        storefront,
        firstCheck,
        smoke,
        contract,
        rehearse,
        releaseFixture,
      ],
    },
    {
      title: 'Develop',
      entries: [
        newThings,
        generate,
        schema,
        diagrams,
        lintInfra,
        azureTemplate,
        testPeers,
        testE2e,
        pictures,
        completion,
      ],
    },
  ],
  details: 'NO_COLOR and TERM=dumb are respected. Paths are meant from where you stand.',
};
