/**
 * JavaScript and declarations of a package, module by module, with what it uses of the project's other packages.
 * In the repository everything runs as TypeScript; Node strips no types below node_modules, so what is installed cannot.
 * https://nodejs.org/api/typescript.html#type-stripping-in-dependencies
 *
 * Invariant: what is written imports nothing of the scope @tandem-clouds, and no TypeScript.
 */
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** Of a source, wherever its package is: `packages/zone/src/model.ts`. */
const SOURCE = /\/packages\/([^/]+)\/src\/(.+)\.ts$/;
/** Where the modules of other packages go; nobody imports them from outside. */
const INTERNAL = 'internal';

/** `from '…'`, `import '…'` and `import('…')`, in JavaScript and in declarations. */
const SPECIFIER = /(\bfrom |\bimport |\bimport\()(['"])((?:\.{1,2}|@tandem-clouds)\/[^'"]+)\2/g;

/** @throws Error with what the compiler says. @param folder Of the package. @param out Where `dist` goes. */
export function compile(folder: string, out: string): void {
  const config = path.join(folder, '../../tsconfig.json');
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(config, (file) => ts.sys.readFile(file)).config,
    ts.sys,
    path.dirname(config),
  );
  const own = path.basename(folder);
  const program = ts.createProgram(sourcesIn(path.join(folder, 'src')), {
    ...options,
    noEmit: false,
    allowJs: false,
    declaration: true,
    rewriteRelativeImportExtensions: true,
    // Through node_modules they would be somebody else's, and the compiler would write nothing of them.
    paths: sourcesOfOthers(folder),
  });
  const { diagnostics, emitSkipped } = program.emit(undefined, (name, text, _mark, _onError, sources) => {
    const [source] = sources ?? [];
    if (source === undefined) return;
    const module = moduleOf(source.fileName, own);
    const file = path.join(out, `${module}${name.endsWith('.d.ts') ? '.d.ts' : '.js'}`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, withRelativeImports(text, module));
  });
  const mistakes = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (emitSkipped || mistakes.length > 0) {
    throw new Error(
      ts.formatDiagnostics(mistakes, {
        getCurrentDirectory: () => folder,
        getCanonicalFileName: (name) => name,
        getNewLine: () => '\n',
      }),
    );
  }
}

/** Where the modules of the project's other packages are, beside this one. */
function sourcesOfOthers(folder: string): Record<string, string[]> {
  const packages = path.dirname(folder);
  return Object.fromEntries(
    fs
      .readdirSync(packages)
      .map((name) => [`@tandem-clouds/${name}/*`, [path.join(packages, name, 'src/*.ts')]]),
  );
}

function sourcesIn(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.join(folder, name));
}

/** Below `dist`, without its ending: `sqs/server`, `internal/zone/model`. @param own The package that is packed. */
function moduleOf(file: string, own: string): string {
  const [, name, rest] = SOURCE.exec(file.replaceAll(path.sep, '/')) ?? [];
  if (name === undefined || rest === undefined) throw new Error(`${file} is in no package`);
  return name === own ? rest : `${INTERNAL}/${name}/${rest}`;
}

function withRelativeImports(text: string, module: string): string {
  return text.replaceAll(SPECIFIER, (_all, before: string, quote: string, specifier: string) => {
    const target = specifier.startsWith('.')
      ? specifier.replace(/\.ts$/, '.js')
      : `${relative(module, specifier.replace('@tandem-clouds', INTERNAL))}.js`;
    return `${before}${quote}${target}${quote}`;
  });
}

function relative(from: string, to: string): string {
  const found = path.posix.relative(path.posix.dirname(from), to);
  return found.startsWith('.') ? found : `./${found}`;
}
