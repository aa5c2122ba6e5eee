/**
 * The Azure service in a folder of its own: the real service definition, host.json, template and plugins, with small
 * functions in place of the handlers, which tell what they were given.
 */
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sls } from './aws-service.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const COPIED = [
  'serverless.azure.yml',
  'host.json',
  'infra/azure',
  'infra/entities.json',
  'infra/routes.json',
];
const LINKED = ['node_modules', 'packages', 'infra/serverless'];

const HTTP = ['region', 'health', 'replication', 'operations', 'items', 'fallback'];
/** Name → file, of the functions of entities and of custom routes. */
const DECLARED = ['infra/entities.json', 'infra/routes.json']
  .flatMap(
    (file) =>
      JSON.parse(fs.readFileSync(path.join(ROOT, file), 'utf8')) as {
        readonly collection?: string;
        readonly name: string;
        readonly handler: string;
      }[],
  )
  .map(({ collection, name, handler }) => [collection ?? name, handler.replace('.handler', '.ts')] as const);

const BRIDGE = ['forward', 'apply', 'react', 'transfer', 'sweep', 'verify', 'verify-hourly'];

/** An HTTP function that answers what it was asked, which cloud it was bundled for, and `version`. */
const httpSource = (name: string, version: number): string => `
import { cloudName } from '#cloud';
interface Request { method: string; params: Record<string, string> }
export const handler = async ({ method, params }: Request) => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ name: '${name}', version: ${version}, cloud: cloudName, method, params, site: process.env.TANDEM_SITE }),
});
`;

/** A queue or timer function that appends its input to the file NOTES. */
const bridgeSource = (name: string, version: number): string => `
import fs from 'node:fs';
export const handler = async (given: unknown): Promise<void> => {
  const input = Array.isArray(given) ? given.map(String) : given;
  const note = { name: '${name}', version: ${version}, pid: process.pid, input };
  fs.appendFileSync(process.env.NOTES ?? '/dev/null', JSON.stringify(note) + '\\n');
};
`;

/** Creates the folder, which the caller removes. */
export function copyAzureService(): string {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'azure-service-')));
  for (const name of COPIED) fs.cpSync(path.join(ROOT, name), path.join(dir, name), { recursive: true });
  for (const name of LINKED) fs.symlinkSync(path.join(ROOT, name), path.join(dir, name));
  const { imports } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    imports: { '#cloud': Record<string, string> };
  };
  write(dir, 'package.json', JSON.stringify({ name: 'copy', type: 'module', imports }));
  for (const [cloud, file] of Object.entries(imports['#cloud'])) {
    write(dir, file, `export const cloudName = 'bundled for ${cloud}';\n`);
  }
  writeFunctions(dir, 1);
  return dir;
}

/** Writes the sources of all functions, again with another version to change them. */
export function writeFunctions(dir: string, version: number): void {
  for (const name of HTTP) write(dir, `src/handlers/${name}.ts`, httpSource(name, version));
  for (const [name, file] of DECLARED) write(dir, file, httpSource(name, version));
  for (const name of BRIDGE) write(dir, `src/bridge/${name}.ts`, bridgeSource(name, version));
}

function write(dir: string, file: string, text: string): void {
  fs.mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
  fs.writeFileSync(path.join(dir, file), text);
}

/** Runs one `sls` command to its end and returns its output. @throws Error with the output when it fails. */
export async function runSls(dir: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const { child, output } = sls(dir, [...args, '-c', 'serverless.azure.yml'], env);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`sls ${args.join(' ')}: exit code ${code ?? ''}\n${output.join('')}`);
  return output.join('');
}
