/**
 * A process that stays, for what has to be quick when something is saved: it generates what follows from the declarations,
 * and resolves service definitions. What it needs of others stays loaded, the compiler of schemas and the framework; of
 * the project what has not changed (fresh-modules.ts).
 *
 * Argument: the project's folder, absolute, symbolic links resolved.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { FreshModules } from './fresh-modules.ts';
import { resolveDefinition } from './resolve-definition.ts';

export type ToWorkshop = { readonly id: number } & (
  | { readonly type: 'generate' }
  /** All of a generation but the writing: the next one finds everything loaded. */
  | { readonly type: 'warm' }
  /** @param file Of the definition; absolute. */
  | { readonly type: 'resolve'; readonly file: string; readonly region: string }
);

/** `result` as JSON: what was generated (`Generated`), or the definition. */
export type FromWorkshop =
  { readonly id: number; readonly result: string } | { readonly id: number; readonly problem: string };

/** What a generation has done. */
export interface Generated {
  /** What was written or deleted, relative to the project. */
  readonly written: readonly string[];
  /** The modules of the project that it was made by, relative to it: what they do not say changes nothing of it. */
  readonly inputs: readonly string[];
}

interface Generator {
  readonly writeGenerated: (root: string, what: { client: boolean }) => Promise<readonly string[]>;
  readonly rehearseGeneration: (root: string, what: { client: boolean }) => Promise<void>;
}

const [, , projectDir = ''] = process.argv;
const GENERATOR = path.join(projectDir, 'scripts/generate/generate.ts');

const modules = new FreshModules(projectDir);

const generator = async (): Promise<Generator> => (await import(pathToFileURL(GENERATOR).href)) as Generator;

async function generate(): Promise<Generated> {
  const { writeGenerated } = await generator();
  const lines = await writeGenerated(projectDir, { client: false });
  return { written: lines.map((line) => line.replace(/^(?:wrote|deleted) /, '')), inputs: modules.files };
}

async function answer(message: ToWorkshop): Promise<string> {
  modules.begin();
  try {
    switch (message.type) {
      case 'generate':
        return JSON.stringify(await generate());
      case 'warm':
        await (await generator()).rehearseGeneration(projectDir, { client: false });
        return '';
      case 'resolve':
        // It may import sources of ours.
        return JSON.stringify(await resolveDefinition(message.file, message.region));
    }
  } catch (error) {
    modules.forgetAll();
    throw error;
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
