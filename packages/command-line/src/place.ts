/**
 * Where a file lies that a person names.
 *
 * npm runs a script in the root of the project, and says in INIT_CWD where the person stands
 * (https://docs.npmjs.com/cli/v11/commands/npm-run). A path that was typed is meant from there. What nobody typed, such
 * as `.tandem/stack.json`, stays below the folder that the process runs in.
 */
import path from 'node:path';

export interface Place {
  /** A path as this process has to open it. */
  readonly resolve: (file: string) => string;
}

/** Paths as they are written. */
export const HERE: Place = { resolve: (file) => file };

/**
 * @param root Where npm runs the project's scripts. INIT_CWD is inherited by everything below an npm script, tests and
 * supervisors too; it is about this process only where npm has started it, and so in that folder and for that script.
 */
export function placeOf(options: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly root: string;
  /** The scripts of package.json that run this program. */
  readonly scripts: readonly string[];
}): Place {
  const { env, cwd, root, scripts } = options;
  const from = env['INIT_CWD'] ?? '';
  const isFromNpm = scripts.includes(env['npm_lifecycle_event'] ?? '') && path.relative(root, cwd) === '';
  if (!isFromNpm || from === '' || path.relative(from, cwd) === '') return HERE;
  return { resolve: (file) => path.resolve(from, file) };
}
