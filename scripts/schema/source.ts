/** Where what a release declares is found: with the release, in a file, or in the history. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { CommandError } from '@tandem-clouds/command-line/command-error';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { FIXTURE_SCHEMA } from '@tandem-clouds/testkit/cluster/previous-release';
import { runningAt } from '../../infra/rollout/platform.ts';
import { schemaOf } from '../../infra/rollout/releases.ts';
import type { Entity } from '../../src/shared/domain/entity.ts';
import { recordedSlots, recordSlots } from '../generate/index-slots.ts';
import { loadDeclarations } from '../generate/load-routes.ts';
import { describeDeclarations, readDescription, SCHEMA_FILE, type SchemaDescription } from './describe.ts';

const ROOT = path.join(import.meta.dirname, '../..');

/** What was typed, and the path that it would be. */
export interface Named {
  readonly text: string;
  readonly path: string;
}

export interface Source {
  /** For people: `release 1.4.0`. */
  readonly name: string;
  readonly description: SchemaDescription;
}

/** The declarations as the files say now. @throws DeclarationsError */
export async function declaredNow(): Promise<{
  readonly entities: readonly Entity[];
  readonly description: SchemaDescription;
}> {
  const declared = await loadDeclarations(ROOT);
  const entities = declared.entities.map(({ entity }) => entity);
  const routes = declared.routes.map(({ value }) => value);
  const slots = recordSlots(entities, recordedSlots(ROOT));
  return { entities, description: describeDeclarations(entities, slots, routes) };
}

/**
 * A file, a kept release or a revision of git.
 * @throws UsageError when it is none of them, or does not say what it declares
 */
export function sourceNamed({ text, path: file }: Named): Source {
  if (fs.existsSync(file) && fs.statSync(file).isFile())
    return read(`file ${text}`, fs.readFileSync(file, 'utf8'));
  const kept = schemaOf(text);
  if (kept !== undefined) return read(`release ${text}`, kept);
  const { status, stdout } = spawnSync('git', ['show', '--end-of-options', `${text}:${SCHEMA_FILE}`], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (status === 0) return read(`revision ${text}`, stdout);
  throw new UsageError(
    `--against: '${text}' is no file, no release in .artifacts/releases that says what it declares, and no revision of git that has ${SCHEMA_FILE}`,
  );
}

/** The release that was deployed everywhere last, as the repository keeps it. */
export function deployedEverywhere(): Source {
  return read('the release that was deployed everywhere', fs.readFileSync(FIXTURE_SCHEMA, 'utf8'));
}

/**
 * The release that a site runs; where it runs the sources, the one that was deployed everywhere.
 * @throws StepError when it does not answer @throws CommandError when its release is not kept
 */
export async function deployedAt(url: string): Promise<Source> {
  const version = await runningAt(url);
  if (version === undefined) return deployedEverywhere();
  const text = schemaOf(version);
  if (text !== undefined) return read(`release ${version}`, text);
  throw new CommandError(
    `${url} runs ${version}, and .artifacts/releases does not have what that declares: name it with --against`,
  );
}

function read(name: string, text: string): Source {
  try {
    return { name, description: readDescription(text, name) };
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`--against: ${error.message}`);
    throw error;
  }
}
