/** docs/emulators: what each emulator imitates of its service, with sources and tests, and what it does not. */
import fs from 'node:fs';
import path from 'node:path';
import { azureControlPlaneFacts } from '@tandem-clouds/emulators/azure-control-plane/facts';
import { blobFacts } from '@tandem-clouds/emulators/blob/facts';
import { cdnFacts } from '@tandem-clouds/emulators/cdn/facts';
import { communicationServicesFacts } from '@tandem-clouds/emulators/communication-services/facts';
import type { EmulatorFacts, Fact, FactKind } from '@tandem-clouds/emulators/core/fact';
import { cosmosFacts } from '@tandem-clouds/emulators/cosmos/facts';
import { dynamodbFacts } from '@tandem-clouds/emulators/dynamodb/facts';
import { keyVaultFacts } from '@tandem-clouds/emulators/key-vault/facts';
import { lambdaFacts } from '@tandem-clouds/emulators/lambda/facts';
import { logsIngestionFacts } from '@tandem-clouds/emulators/logs-ingestion/facts';
import { paypalFacts } from '@tandem-clouds/emulators/paypal/facts';
import { s3Facts } from '@tandem-clouds/emulators/s3/facts';
import { secretsManagerFacts } from '@tandem-clouds/emulators/secrets-manager/facts';
import { serviceBusFacts } from '@tandem-clouds/emulators/service-bus/facts';
import { smtpFacts } from '@tandem-clouds/emulators/smtp/facts';
import { snsFacts } from '@tandem-clouds/emulators/sns/facts';
import { sqsFacts } from '@tandem-clouds/emulators/sqs/facts';
import { stripeFacts } from '@tandem-clouds/emulators/stripe/facts';
import { awsHostFacts } from '@tandem-clouds/local/aws-host/facts';
import { azureHostFacts } from '@tandem-clouds/local/azure-host/facts';

export const EMULATORS: readonly EmulatorFacts[] = [
  dynamodbFacts,
  sqsFacts,
  s3Facts,
  secretsManagerFacts,
  cosmosFacts,
  serviceBusFacts,
  keyVaultFacts,
  blobFacts,
  stripeFacts,
  paypalFacts,
  smtpFacts,
  snsFacts,
  cdnFacts,
  lambdaFacts,
  logsIngestionFacts,
  communicationServicesFacts,
  awsHostFacts,
  azureHostFacts,
  azureControlPlaneFacts,
];

const HEADINGS: Readonly<Record<FactKind, string>> = {
  limit: 'Limits',
  validation: 'What is refused',
  error: 'Errors',
  shape: 'Shapes',
  timing: 'Timing',
  tier: 'Tiers, plans and accounts',
};

const MADE =
  '<!-- Written by `npm run generate` from the facts.ts beside each emulator: change a row there. -->';

/** Of the package that runs by itself; only its table is written. */
const PACKAGE_README = 'packages/emulators/README.md';
const TABLE_BEGINS =
  '<!-- What follows is written by `npm run generate` from the facts.ts of each emulator. -->';
const TABLE_ENDS = '<!-- Until here. -->';

/** File → content. @param root Where the files are that are written in part. */
export function emulatorDocuments(root = path.join(import.meta.dirname, '../..')): Record<string, string> {
  return Object.fromEntries([
    [PACKAGE_README, withTable(fs.readFileSync(path.join(root, PACKAGE_README), 'utf8'))],
    ['docs/emulators/README.md', overview()],
    ...EMULATORS.map((emulator) => [`docs/emulators/${emulator.id}.md`, page(emulator)] as const),
  ]);
}

/** @throws Error when the README has no place for the table. */
function withTable(readme: string): string {
  const [before, rest = ''] = readme.split(TABLE_BEGINS);
  const [, after] = rest.split(TABLE_ENDS);
  if (before === undefined || after === undefined)
    throw new Error(`${PACKAGE_README} has no '${TABLE_BEGINS}' with '${TABLE_ENDS}' after it`);
  return [before + TABLE_BEGINS, '', ...scopes(), '', TABLE_ENDS + after].join('\n');
}

function scopes(): string[] {
  const rows = EMULATORS.flatMap(({ id, title, scope, facts }) => {
    if (scope === undefined) return [];
    const held = facts.filter(isHeld).length;
    const link = (file: string): string => `[${path.basename(file)}](../../${file})`;
    const page = `[${held} published rules](../../docs/emulators/${id}.md)`;
    const proof = `${page}: ${scope.suites.map(link).join(', ')}`;
    return [[title, cell(scope.serves), cell(scope.lacks), proof]];
  });
  return table(['service', 'emulated', 'not emulated', 'held to, by these suites'], rows);
}

function overview(): string {
  const rows = EMULATORS.map(({ id, title, folder, facts }) => {
    const held = facts.filter(isHeld).length;
    return [`[${title}](${id}.md)`, code(folder), String(held), String(facts.length - held)];
  });
  return [
    MADE,
    '',
    '# What the emulators say they are',
    '',
    'For each service what its vendor publishes, the test that holds the emulator to it, and what is not imitated and why. ' +
      'The bounds of ours that keep requests below the limits: [limits.md](../limits.md).',
    '',
    ...table(['service', 'emulator', 'held by a test', 'not imitated'], rows),
    '',
    'A row is added in the `facts.ts` of its folder; `npm run generate` writes these pages, and ' +
      '`packages/emulators/tests/facts.test.ts` finds every test that a row names.',
    '',
  ].join('\n');
}

function page({ title, folder, facts }: EmulatorFacts): string {
  const sections = (Object.keys(HEADINGS) as FactKind[]).flatMap((kind) => {
    const rows = facts
      .filter((fact) => fact.kind === kind)
      .map((fact) => [cell(fact.what), heldCell(fact), `[source](${fact.source})`]);
    if (rows.length === 0) return [];
    return [`## ${HEADINGS[kind]}`, '', ...table(['the service', 'the emulator', ''], rows), ''];
  });
  return [MADE, '', `# ${title}`, '', `The emulator is in ${code(folder)}.`, '', ...sections].join('\n');
}

function isHeld({ held }: Fact): boolean {
  return typeof held !== 'string';
}

function heldCell({ held }: Fact): string {
  if (typeof held === 'string') return `**not imitated**, ${cell(held)}`;
  const row = held.row === undefined ? '' : ` (${cell(held.row)})`;
  return `"${cell(held.title)}"${row}, ${code(held.file)}`;
}

const code = (text: string): string => `\`${text}\``;
/** Markdown's own characters, as text. */
const cell = (text: string): string => text.replaceAll(/[\\|*_<>]/g, (c) => `\\${c}`);

/** A table as Prettier would lay it out. */
function table(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [heading, ...rows];
  const widths = heading.map((_, i) => Math.max(3, ...all.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text, i) => text.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(heading), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)];
}
