/**
 * The CloudFormation template of the AWS site as the packager writes it, without the bundles, which are most of its
 * time: the definition is copied into a temporary folder, and every function gets the same empty archive.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';

const ROOT = path.join(import.meta.dirname, '../..');
const DEFINITION = 'serverless.aws.yml';
/** A zip archive without entries: its end record alone (APPNOTE 4.3.16). */
const EMPTY_ZIP = Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18)]);

/** Every flag of `custom.features`. */
export const awsFeatures = [
  'cdn',
  'waf',
  'network',
  'identityProvider',
  'tracing',
  'warm',
  'customDomain',
  'alarmKey',
  'monitor',
  'raiseCapacity',
  'objects',
  'storefront',
  'budget',
  'sql',
  'backup',
  'centralLogs',
] as const;
export type AwsFeature = (typeof awsFeatures)[number];

const CENTRAL_LOGS = JSON.stringify({
  endpoint: 'https://tandem-abcd.eastus-1.ingest.monitor.azure.com',
  rule: `dcr-${'0'.repeat(32)}`,
  tenantId: '11111111-1111-1111-1111-111111111111',
  clientId: '22222222-2222-2222-2222-222222222222',
});

/** What a feature cannot do without. */
const NEEDED: Partial<Record<AwsFeature, readonly string[]>> = {
  warm: ['accountConcurrency=1000'],
  waf: ['features.cdn=true'],
  sql: ['features.network=true'],
  monitor: ['hostedZoneId=Z0123456789ABCDEFGHIJ'],
  raiseCapacity: [
    'features.monitor=true',
    'features.warm=true',
    'hostedZoneId=Z0123456789ABCDEFGHIJ',
    'accountConcurrency=1000',
  ],
  centralLogs: [`centralLogsTo=${CENTRAL_LOGS}`],
  customDomain: ['domain=api.example.com', 'hostedZoneId=Z0123456789ABCDEFGHIJ'],
};

/** A peer in each cloud, so that what follows from peers is there to be looked at. */
const PEERS = [
  {
    site: 'azure-eastus',
    cloud: 'azure',
    region: 'eastus',
    url: 'https://tandem.example.net',
    inbox: 'tandem-in',
    verify: 'tandem-verify',
    namespace: 'tandem.servicebus.windows.net',
    objectsUrl: 'https://objectsabc.blob.core.windows.net',
    objectsContainer: 'objects',
  },
  {
    site: 'aws-eu-west-1',
    cloud: 'aws',
    region: 'eu-west-1',
    url: 'https://tandem.example.org',
    inbox: 'https://sqs.eu-west-1.amazonaws.com/123456789012/tandem-in',
    verify: 'https://sqs.eu-west-1.amazonaws.com/123456789012/tandem-verify',
    objectsBucket: 'tandem-objects-123456789012-eu-west-1',
  },
];

/** `--param` values of a site with a peer in each cloud and these features. */
export function awsParams(features: readonly AwsFeature[]): string[] {
  const flags = features.flatMap((flag) => [`features.${flag}=true`, ...(NEEDED[flag] ?? [])]);
  return [`peers=${JSON.stringify(PEERS)}`, 'alarmEmail=operators@example.com', ...flags];
}

interface Definition {
  plugins: string[];
  package: Record<string, unknown>;
  custom: Record<string, unknown>;
}

/** The definition in a folder of its own, where the packager may write. */
function copyOf(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'aws-template-'));
  const definition = parse(fs.readFileSync(path.join(ROOT, DEFINITION), 'utf8')) as Definition;
  definition.plugins = [];
  definition.package = { artifact: 'empty.zip' };
  delete definition.custom['esbuild'];
  delete definition.custom['serverless-offline'];
  fs.writeFileSync(path.join(dir, DEFINITION), stringify(definition));
  fs.writeFileSync(path.join(dir, 'empty.zip'), EMPTY_ZIP);
  fs.copyFileSync(path.join(ROOT, 'package.json'), path.join(dir, 'package.json'));
  fs.cpSync(path.join(ROOT, 'infra'), path.join(dir, 'infra'), { recursive: true });
  // What parts of the definition ask the code: which settings there are.
  fs.symlinkSync(path.join(ROOT, 'src'), path.join(dir, 'src'));
  return dir;
}

export interface Packaged {
  /** The text of the template. */
  readonly template: string;
  /** The packager's own state, which also holds what is no part of a template (tags of the stack). */
  readonly state: string;
}

interface Run {
  readonly params: readonly string[];
  readonly out: string;
  readonly result: string;
}

/** @throws Error with the packager's output when it refuses the definition. */
export async function awsTemplate(params: readonly string[]): Promise<Packaged> {
  const [packaged] = await awsTemplates([params]);
  if (packaged === undefined || packaged instanceof Error) throw packaged ?? new Error('it was not packaged');
  return packaged;
}

/**
 * The template for each of several sets of `--param` values, by one process: each further one takes a fifth of what it would
 * take by itself. @returns In their order; an Error with the packager's output for one that it refuses.
 * @throws Error when the packager ends early.
 */
export async function awsTemplates(sets: readonly (readonly string[])[]): Promise<(Packaged | Error)[]> {
  const dir = copyOf();
  try {
    const runs = sets.map((params, index) => ({
      params,
      out: `out-${index}`,
      result: path.join(dir, `result-${index}.json`),
    }));
    const child = spawn(
      process.execPath,
      [path.join(import.meta.dirname, 'package-each.cjs'), DEFINITION, JSON.stringify(runs)],
      { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'], env: cleanEnvironment() },
    );
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`the packager ended with ${code}\n${output.join('')}`);
    return runs.map((run) => resultOf(dir, run));
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

function resultOf(dir: string, { out, result }: Run): Packaged | Error {
  const { status, output } = JSON.parse(fs.readFileSync(result, 'utf8')) as {
    status: number;
    output: string;
  };
  if (status !== 0) return new Error(`the packager refused the definition\n${output}`);
  const read = (name: string): string => fs.readFileSync(path.join(dir, out, name), 'utf8');
  return {
    template: read('cloudformation-template-update-stack.json'),
    state: read('serverless-state.json'),
  };
}

/** Without what would choose another region, stage or site. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(AWS|TANDEM|SLS)_|^NODE_OPTIONS$/.test(name),
  );
  return Object.fromEntries(kept);
}
