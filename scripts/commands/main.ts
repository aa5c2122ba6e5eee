/**
 * The process of a command. What Node makes of a module is kept below node_modules and used by the next start, as long as
 * the source is the same: https://nodejs.org/api/module.html#module-compile-cache. In the shared folder for temporary files
 * (its default) others of this machine could put code there.
 */
import { enableCompileCache } from 'node:module';
import path from 'node:path';

/** @param scripts Those of package.json that run this program. */
export async function main(words: readonly string[], scripts: readonly string[]): Promise<void> {
  enableCompileCache(path.join(import.meta.dirname, '../../node_modules/.cache/tandem'));
  // From here on, so that these come from the cache too.
  const [{ processContext, processPlace }, { runCommand }, { runProgram }, { PROGRAM }] = await Promise.all([
    import('@tandem-clouds/command-line/process-context'),
    import('@tandem-clouds/command-line/run-command'),
    import('@tandem-clouds/command-line/run-program'),
    import('./program.ts'),
  ]);
  await runCommand(() => runProgram(PROGRAM, words, processContext(), processPlace(scripts)));
}
