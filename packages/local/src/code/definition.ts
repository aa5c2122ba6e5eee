/**
 * Resolved service definitions, kept: the framework is loaded only when something that a definition is made of has
 * changed.
 *
 * Invariant: what is kept was resolved from exactly these inputs: the definition, everything below infra/, the variables
 * of the environment that they name, the region, and the framework's version. Only then is it used.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { replaceSharedFile } from '@tandem-clouds/emulators/core/files';
import type { Cloud } from '../stack/sites.ts';
import { forgetOldest } from './forget-oldest.ts';
import type { Workshop } from './workshop.ts';

/** A definition with its variables replaced and its arrays merged, as plain data. */
export interface ResolvedDefinition {
  readonly service: string;
  readonly provider: Readonly<Record<string, unknown>> & {
    readonly name: string;
    readonly region: string;
    readonly environment: Readonly<Record<string, unknown>>;
  };
  readonly custom: Readonly<Record<string, unknown>> & {
    readonly esbuild: Readonly<Record<string, unknown>>;
  };
  readonly functions: Readonly<
    Record<
      string,
      {
        readonly handler: string;
        readonly name: string;
        readonly events: readonly Readonly<Record<string, unknown>>[];
      }
    >
  >;
  readonly resources?: Readonly<Record<string, unknown>>;
}

export interface DefinitionOptions {
  /** Absolute. */
  readonly projectDir: string;
  readonly cloud: Cloud;
  readonly region: string;
  /** Absolute. */
  readonly cacheDir: string;
  /** In which the variables of the definition are looked up. */
  readonly env: Readonly<Record<string, string>>;
  /** Has the same variables in its environment. */
  readonly workshop: Pick<Workshop, 'resolve'>;
}

const RESOLVER = path.join(import.meta.dirname, 'resolve-definition.ts');
const KEY_LENGTH = 20;
const NAMED_VARIABLE = /\benv(?:[:.]|: ')([A-Z][A-Z0-9_]*)/g;
/** Names variables too: infra/serverless/own-settings.cjs makes one of them. */
export const OWN_SETTINGS = 'src/shared/config/own-settings.ts';
/** The kept ones of one cloud; the others are the oldest. */
const KEPT_MAX = 12;

/** @throws Error with the framework's words when the definition cannot be resolved. */
export async function resolvedDefinition(options: DefinitionOptions): Promise<ResolvedDefinition> {
  const { cloud, cacheDir } = options;
  const folder = path.join(cacheDir, 'definitions');
  const file = path.join(folder, `${cloud}-${keyOf(options)}.json`);
  const kept = read(file);
  if (kept !== undefined) return kept;
  const text = await options.workshop.resolve(definitionFile(options), options.region);
  replaceSharedFile(file, text);
  forgetOldest(folder, KEPT_MAX, `${cloud}-`);
  return JSON.parse(text) as ResolvedDefinition;
}

/** Everything that the result depends on; of file names the relative ones, so that a project may move. */
function keyOf({ projectDir, cloud, region, env }: DefinitionOptions): string {
  const hash = createHash('sha256').update(`${region}\0${process.version}\0`);
  const files = [
    `serverless.${cloud}.yml`,
    ...filesBelow(projectDir, 'infra'),
    'package-lock.json',
    OWN_SETTINGS,
  ];
  const named = new Set<string>();
  for (const name of files) {
    const text = fs.readFileSync(path.join(projectDir, name), 'utf8');
    for (const [, variable = ''] of text.matchAll(NAMED_VARIABLE)) named.add(variable);
    hash.update(`${name}\0${text}\0`);
  }
  for (const name of [...named].sort()) hash.update(`${name}=${env[name] ?? ''}\0`);
  hash.update(fs.readFileSync(RESOLVER));
  return hash.digest('hex').slice(0, KEY_LENGTH);
}

function filesBelow(projectDir: string, folder: string): string[] {
  return fs
    .readdirSync(path.join(projectDir, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(projectDir, path.join(entry.parentPath, entry.name)))
    .sort();
}

function read(file: string): ResolvedDefinition | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as ResolvedDefinition;
  } catch {
    return undefined;
  }
}

function definitionFile({ projectDir, cloud }: DefinitionOptions): string {
  return path.join(projectDir, `serverless.${cloud}.yml`);
}
