/** Commands for who changes the code. */
import { command, type CommandContext, type Group } from '@tandem-clouds/command-line/command';
import { flag, many, text } from '@tandem-clouds/command-line/option';

export const generate = command({
  name: 'generate',
  summary: 'write what follows from the declared entities: functions, validators, openapi.yaml',
  options: { check: flag('write nothing, and fail when a file is not what it would be') },
  examples: [{ line: 'generate --check', shows: 'as npm test does' }],
  run: async (input) => (await import('../generate/generate.ts')).generate(input),
});

export const newThings: Group<CommandContext> = {
  name: 'new',
  summary: 'a file to begin with: entity',
  commands: [
    command({
      name: 'new entity',
      summary: 'a kind of record with routes at both clouds: its file, and its test',
      details: `All else follows from the file. What exists is left as it is, and names that are taken are refused.

The claim of --tenant becomes part of the key of every record: it cannot be added, changed or taken away later.`,
      args: {
        collection: text('in the plural, as in its path', { placeholder: 'collection', required: true }),
      },
      options: {
        name: text('one of them', { placeholder: 'singular', fallback: 'the collection without its s' }),
        tenant: text("of a token: names the caller's tenant", {
          placeholder: 'claim',
          fallback: 'records are not kept apart',
        }),
      },
      examples: [
        { line: 'new entity bookings', shows: 'src/shared/entities/booking.ts and its test' },
        { line: 'new entity people --name person', shows: 'where the plural is not regular' },
        { line: 'new entity invoices --tenant org', shows: 'records that belong to tenants' },
      ],
      run: async (input, { out }: CommandContext) =>
        (await import('../generate/new-entity.ts')).newEntity(input, out),
    }),
  ],
};

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

export const testE2e = command({
  name: 'test-e2e',
  summary: 'shop and console in a real browser, while clouds are killed',
  details:
    "A Chromium is looked for, or named in TANDEM_CHROMIUM; Debian's is installed where that may be done. Without one nothing is tested, and the status is 1.",
  args: { suites: many(text('beginnings of their names', { placeholder: 'suite', fallback: 'all' })) },
  options: { only: text('only tests with this in their names', { placeholder: 'words' }) },
  examples: [
    { line: 'test-e2e demo', shows: 'the five minutes of docs/demo.md' },
    { line: 'test-e2e --only twice', shows: 'one test' },
  ],
  run: async (input) => (await import('../test-e2e.ts')).testEndToEnd(input),
});

export const pictures = command({
  name: 'pictures',
  summary: 'docs/pictures anew, of the real console in a real browser',
  details: 'Walks docs/demo.md as test-e2e does. When that fails, the pictures stay as they were.',
  examples: [{ line: 'pictures', shows: 'after a change of what the console shows' }],
  run: async () => (await import('../pictures.ts')).makePictures(),
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
