/**
 * `tandem evidence`: what an auditor asks for, in one dated archive (docs/compliance.md says which control each file is for).
 *
 * Invariants: nothing in it is written by hand but the table of controls; what could not be collected is named in its index with
 * the reason; every file is in `SHA256SUMS`, which `sha256sum -c` reads. No key, token or record is in it.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { CommandContext } from '@tandem-clouds/command-line/command';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { prepareFile } from '@tandem-clouds/command-line/write-file';
import { zip } from '@tandem-clouds/local/zip';
import { getJson } from '@tandem-clouds/operator/get-json';
import { version } from '../src/shared/version.ts';
import { factsAbout, type Resource } from './evidence/properties.ts';
import { awsResources, azureResources, rightsIn } from './evidence/resources.ts';

const ROOT = path.join(import.meta.dirname, '..');
const SBOM_BYTES_MAX = 64_000_000;
const WORDS_MAX = 1_000;
const REPORT_BYTES_MAX = 20_000_000;
/** Without a key, and nothing of a record in it. */
const ASKED = ['/health/deep', '/replication', '/region'];
const QUESTIONS = ['encryption', 'access', 'retention'] as const;

export interface EvidenceInput {
  readonly out: string | undefined;
  /** As the deployment gives them: `features.objects=true`. */
  readonly param: readonly string[];
  readonly reports: readonly string[];
  readonly site: readonly string[];
  readonly region: string;
  readonly location: string;
  readonly json: boolean;
}

/** One file of the archive. */
interface Piece {
  readonly name: string;
  readonly about: string;
  readonly bytes: Buffer;
}

/** Returns the exit status: 1 when something could not be collected. @throws CommandError for a folder of reports that is none */
export async function evidence(input: EvidenceInput, { out, err }: CommandContext): Promise<number> {
  const at = new Date().toISOString();
  const file = input.out ?? `evidence-${at.slice(0, 10)}.zip`;
  prepareFile(file);
  const missing: string[] = [];
  const pieces: Piece[] = [];
  const add = (name: string, about: string, content: unknown): void => {
    const bytes = Buffer.isBuffer(content)
      ? content
      : Buffer.from(typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`);
    pieces.push({ name, about, bytes });
  };
  const attempt = async (what: string, collect: () => Promise<void>): Promise<void> => {
    err(`${what} …\n`);
    try {
      await collect();
    } catch (error) {
      if (error instanceof CommandError) throw error;
      missing.push(`${what}: ${inWords(error)}`);
    }
  };

  add('controls.md', 'which control each part is for, and whose it is', page('docs/compliance.md'));
  add('security.md', 'threats, rights, who is who, secrets, encryption', page('docs/security.md'));
  await attempt('the release', async () => add('release.json', 'what was looked at', await release(at)));
  const clouds: readonly [string, () => readonly Resource[] | Promise<readonly Resource[]>][] = [
    ['aws', () => awsResources(input.region, input.param)],
    ['azure', () => azureResources(input.location, input.param)],
  ];
  for (const [cloud, collect] of clouds)
    await attempt(`the definition of ${cloud}`, async () => {
      const resources = await collect();
      add(`${cloud}/resources.json`, 'everything that the definition makes', resources);
      add(`${cloud}/rights.json`, 'every role and who has it', rightsIn(resources));
      for (const question of QUESTIONS)
        add(`${cloud}/${question}.json`, `${question} of each resource`, factsAbout(question, resources));
    });
  await attempt('the dependencies', async () =>
    add('sbom.cdx.json', 'what is deployed, with licences (CycloneDX)', await sbom()),
  );
  for (const folder of input.reports)
    for (const [name, bytes] of reportsIn(folder)) add(`reports/${name}`, 'as it was written', bytes);
  for (const [index, url] of input.site.entries())
    await attempt(`the site at ${url}`, async () => {
      const answers: Record<string, unknown> = { at: new Date().toISOString(), url };
      for (const route of ASKED) answers[route] = await getJson(new URL(route, url));
      add(`sites/${index + 1}.json`, 'what it said of itself', answers);
    });

  add('README.md', 'this index', index({ at, input, pieces, missing }));
  add('SHA256SUMS', '', pieces.map(({ name, bytes }) => `${sha256(bytes)}  ${name}\n`).join(''));
  const archive = zip(new Map(pieces.map(({ name, bytes }) => [name, bytes])));
  fs.writeFileSync(file, archive);
  for (const reason of missing) err(`missing: ${reason}\n`);
  const said = { file, files: pieces.length, bytes: archive.length, sha256: sha256(archive), missing };
  out(
    input.json
      ? `${JSON.stringify(said)}\n`
      : `${file}: ${pieces.length} files, ${archive.length} bytes, SHA-256 ${said.sha256}\n`,
  );
  return missing.length === 0 ? 0 : 1;
}

const page = (name: string): string => fs.readFileSync(path.join(ROOT, name), 'utf8');
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const inWords = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').slice(0, WORDS_MAX);

async function run(command: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { cwd: ROOT, maxBuffer: SBOM_BYTES_MAX });
  return stdout;
}

async function release(at: string): Promise<object> {
  const commit = (await run('git', 'rev-parse', 'HEAD')).trim();
  const changed = (await run('git', 'status', '--porcelain')).split('\n').filter((line) => line !== '');
  return { at, version, commit, changed, node: process.version };
}

function sbom(): Promise<string> {
  const tree = ['--package-lock-only', '--omit=dev'];
  const own = process.env['npm_execpath'];
  const args = ['sbom', '--sbom-format=cyclonedx', ...tree];
  return own === undefined ? run('npm', ...args) : run(process.execPath, own, ...args);
}

/** @throws CommandError for what is no folder, or a file that is too large for a report. */
function* reportsIn(folder: string): Generator<readonly [name: string, bytes: Buffer]> {
  if (fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new CommandError(`--reports: ${folder} is no folder`);
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const { size } = fs.statSync(file);
    if (size > REPORT_BYTES_MAX)
      throw new CommandError(`--reports: ${file} has ${size} bytes, more than ${REPORT_BYTES_MAX}`);
    const inside = path.relative(folder, file).split(path.sep).join('/');
    yield [`${path.basename(path.resolve(folder))}/${inside}`, fs.readFileSync(file)];
  }
}

interface Indexed {
  readonly at: string;
  readonly input: EvidenceInput;
  readonly pieces: readonly Piece[];
  readonly missing: readonly string[];
}

function index({ at, input, pieces, missing }: Indexed): string {
  const { param, reports, site } = input;
  return `# Evidence of ${at}

Tandem ${version}. Parameters of the deployment: ${param.length === 0 ? 'none' : param.join(', ')}. \`controls.md\` says which control each file is for. Check the files with \`sha256sum -c SHA256SUMS\`. The definitions say what a deployment makes; what is in an account besides is for the vendors' own tools.

${pieces.map(({ name, about }) => `- \`${name}\`: ${about}`).join('\n')}

## Not in here

${
  [
    ...missing,
    ...(reports.length === 0
      ? ['reports of drills, restores and erasures: name their folders with --reports']
      : []),
    ...(site.length === 0 ? ['what sites say of themselves: name them with --site'] : []),
  ]
    .map((each) => `- ${each}\n`)
    .join('') || 'Nothing is missing.\n'
}`;
}
