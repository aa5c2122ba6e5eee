/**
 * A process that stays, for what has to be quick when something is saved: it generates what follows from the declarations,
 * and resolves service definitions. What it needs of others stays loaded, the compiler of schemas and the framework.
 *
 * Invariant: of the project itself nothing is remembered. Every generation evaluates its modules anew.
 *
 * Argument: the project's folder, absolute, symbolic links resolved.
 */
import { registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { resolveDefinition } from './resolve-definition.ts';

export type ToWorkshop = { readonly id: number } & (
  | { readonly type: 'generate' }
  /** @param file Of the definition; absolute. */
  | { readonly type: 'resolve'; readonly file: string; readonly region: string }
);

/** `result`: lines of what was done; the definition as JSON. */
export type FromWorkshop =
  { readonly id: number; readonly result: string } | { readonly id: number; readonly problem: string };

interface Generator {
  readonly writeGenerated: (root: string, what: { client: boolean }) => Promise<readonly string[]>;
}

const [, , projectDir = ''] = process.argv;
const PROJECT = `${pathToFileURL(projectDir).href}/`;
const GENERATOR = path.join(projectDir, 'scripts/generate/generate.ts');
const SOURCE = /\.(?:ts|js)$/;

let generation = 0;

registerHooks({
  resolve(specifier, context, nextResolve) {
    const found = nextResolve(specifier, context);
    const isOurs =
      generation > 0 &&
      found.url.startsWith(PROJECT) &&
      !found.url.includes('/node_modules/') &&
      SOURCE.test(found.url);
    // A module of another address is another module (https://nodejs.org/api/esm.html#urls).
    return isOurs ? { ...found, url: `${found.url}?generation=${generation}` } : found;
  },
});

async function generate(): Promise<string> {
  generation += 1;
  const { writeGenerated } = (await import(pathToFileURL(GENERATOR).href)) as Generator;
  return (await writeGenerated(projectDir, { client: false })).join('\n');
}

async function answer(message: ToWorkshop): Promise<string> {
  switch (message.type) {
    case 'generate':
      return generate();
    case 'resolve':
      return JSON.stringify(await resolveDefinition(message.file, message.region));
  }
}

/** What is wrong with a declaration or a definition has its place in its message; all else is a defect, with its stack. */
function words(message: ToWorkshop, error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (message.type === 'resolve') return `${path.basename(message.file)}: ${error.message}`;
  const text = error.name === 'DeclarationsError' ? error.message : (error.stack ?? error.message);
  return text.replaceAll(/\?generation=\d+/g, '');
}

/** One after the other: a generation must not read what another writes. */
let last: Promise<unknown> = Promise.resolve();

process.on('message', (message: ToWorkshop) => {
  const { id } = message;
  last = last.then(() =>
    answer(message).then(
      (result) => process.send?.({ id, result } satisfies FromWorkshop),
      (error: unknown) => process.send?.({ id, problem: words(message, error) } satisfies FromWorkshop),
    ),
  );
});
process.once('disconnect', () => {
  process.exit(0);
});
