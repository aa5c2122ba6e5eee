#!/usr/bin/env node
/** The program `tandem-emulators`: one command, so no word comes before its options. */
import { createRequire } from 'node:module';
import type { CommandContext, Program } from '@tandem-clouds/command-line/command';
import { processContext } from '@tandem-clouds/command-line/process-context';
import { runCommand } from '@tandem-clouds/command-line/run-command';
import { runProgram } from '@tandem-clouds/command-line/run-program';
import { emulatorsCommand } from './command.ts';

const NAME = 'tandem-emulators';
const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

const PROGRAM: Program<CommandContext> = {
  call: 'npx',
  summary: 'Emulators of cloud services on this machine.',
  sections: [{ title: 'On this machine', entries: [emulatorsCommand(NAME)] }],
};

const words = process.argv.slice(2);
const context = processContext();

await runCommand(() => {
  if (!words.includes('--version')) return runProgram(PROGRAM, [NAME, ...words], context);
  context.out(`${NAME} ${version}\n`);
  return 0;
});
