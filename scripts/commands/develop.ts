/** Commands for who changes the code. */
import { command, type CommandContext } from '@tandem-clouds/command-line/command';
import { flag, many, text } from '@tandem-clouds/command-line/option';

export const generate = command({
  name: 'generate',
  summary: 'write what follows from the declared entities: validators, event schema, openapi.yaml',
  options: { check: flag('write nothing, and fail when a file is not what it would be') },
  examples: [{ line: 'generate --check', shows: 'as npm test does' }],
  run: async (input) => (await import('../generate/generate.ts')).generate(input),
});

export const diagrams = command({
  name: 'diagrams',
  summary: 'docs/diagrams as SVG and PNG; needs a Chromium on this machine',
  examples: [{ line: 'diagrams', shows: 'after a change of a .mmd file' }],
  run: async () => (await import('../diagrams.ts')).drawDiagrams(),
});

export const lintInfra = command({
  name: 'lint-infra',
  summary: "the vendors' and others' linters over what would be deployed; needs Python and npm",
  details: 'A check that cannot run here is skipped and says so.',
  examples: [{ line: 'lint-infra', shows: 'cfn-lint, checkov, actionlint and the linter of Redocly' }],
  run: async () => (await import('../lint-infra.ts')).lintInfra(),
});

export const testPeers = command({
  name: 'test-peers',
  summary: 'suites against the software of others, which is installed into .peers/ on demand',
  details:
    'One that cannot run here is skipped, and named at the end; that is a failure when it was asked for by name, or nothing ran.',
  args: { suites: many(text('beginnings of their names', { placeholder: 'suite', fallback: 'all' })) },
  examples: [{ line: 'test-peers schemathesis', shows: 'one of them' }],
  run: async (input) => (await import('../test-peers.ts')).testPeers(input),
});

export const azureTemplate = command({
  name: 'azure-template',
  summary: 'the Azure template with its expressions evaluated, for a checker that cannot',
  args: {
    features: many(text('to switch on; all: every one', { placeholder: 'feature', fallback: 'none' })),
  },
  examples: [
    { line: 'azure-template', shows: 'what a deployment makes' },
    { line: 'azure-template network audit', shows: 'what it makes with these features' },
  ],
  run: async (input, context: CommandContext) =>
    (await import('../azure-template.ts')).printAzureTemplate(input, context),
});
