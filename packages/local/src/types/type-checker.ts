/**
 * Type errors that changes of the sources have brought, by the compiler itself with the options of `npm run typecheck`.
 *
 * Invariant: an error is reported once, when a change of its file, or of a file that it imports, has brought it. What was
 * wrong before anything changed is for `npm run typecheck`.
 */
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const INSTALLED = '/node_modules/';

export interface TypeCheckerOptions {
  /** Absolute, symbolic links resolved. */
  readonly projectDir: string;
  /** Whose files are checked, with what they import of the project; relative to it. */
  readonly folders: readonly string[];
  /** Called between two steps, which take milliseconds; it returns when the next one may begin. Default: at once. */
  readonly giveWay?: () => void;
}

export interface TypeReport {
  /** `src/handlers/region.ts:5:3: Type 'string' is not assignable to type 'number'. (TS2322)` */
  readonly problems: readonly string[];
  /** Of all that was reported nothing is wrong any more. */
  readonly isMended: boolean;
}

/** As the compiler declares it, but for `any`. */
interface Configuration {
  readonly config?: object;
  readonly error?: ts.Diagnostic;
}

interface Parsed {
  readonly version: string;
  readonly file: ts.SourceFile | undefined;
}

export class TypeChecker {
  readonly #options: TypeCheckerOptions;
  readonly #parsed = new Map<string, Parsed>();
  #program: ts.SemanticDiagnosticsBuilderProgram | undefined;
  /** Errors that are there and that no change has brought. */
  #before: ReadonlySet<string> | undefined;
  #reported: ReadonlySet<string> = new Set();
  /** The compiler asks it before every function, class and interface. It is never cancelled. */
  readonly #steps: ts.CancellationToken = {
    isCancellationRequested: () => false,
    throwIfCancellationRequested: () => this.#options.giveWay?.(),
  };

  constructor(options: TypeCheckerOptions) {
    this.#options = options;
  }

  /** @param changed Relative to the project. @throws Error when tsconfig.json cannot be read. */
  check(changed: readonly string[]): TypeReport {
    const program = this.#newProgram();
    this.#program = program;
    while (program.getSemanticDiagnosticsOfNextAffectedFile(this.#steps) !== undefined);
    const files = program.getSourceFiles().filter((file) => this.#isOwn(file));
    const errors = new Map(
      files.flatMap((file) => errorsOf(program, file).map((error) => [this.#line(error), file])),
    );
    if (this.#before === undefined) {
      const names = new Set(changed.map((name) => path.join(this.#options.projectDir, name)));
      const depends = (file: ts.SourceFile): boolean =>
        program.getAllDependencies(file).some((name) => names.has(name));
      this.#before = new Set([...errors].flatMap(([line, file]) => (depends(file) ? [] : [line])));
    }
    const brought = [...errors.keys()].filter((line) => this.#before?.has(line) !== true);
    const problems = brought.filter((line) => !this.#reported.has(line));
    const isMended = this.#reported.size > 0 && brought.length === 0;
    this.#reported = new Set(brought);
    return { problems, isMended };
  }

  #newProgram(): ts.SemanticDiagnosticsBuilderProgram {
    const { fileNames, options } = this.#configuration();
    const host = ts.createIncrementalCompilerHost(options);
    const parse = host.getSourceFile.bind(host);
    host.getSourceFile = (name, ...rest) => {
      const version = versionOf(name);
      const known = this.#parsed.get(name);
      if (known?.version === version) return known.file;
      const file = parse(name, ...rest);
      this.#parsed.set(name, { version, file });
      this.#options.giveWay?.();
      return file;
    };
    return ts.createSemanticDiagnosticsBuilderProgram(fileNames, options, host, this.#program);
  }

  /** Read afresh: files come and go. */
  #configuration(): ts.ParsedCommandLine {
    const { projectDir, folders } = this.#options;
    const file = path.join(projectDir, 'tsconfig.json');
    const { config, error } = ts.readConfigFile(file, (name) => ts.sys.readFile(name)) as Configuration;
    if (error !== undefined) throw new Error(textOf(error));
    const only = { ...config, include: folders };
    return ts.parseJsonConfigFileContent(only, ts.sys, projectDir, { noEmit: true, incremental: false });
  }

  #isOwn({ fileName, isDeclarationFile }: ts.SourceFile): boolean {
    const { projectDir } = this.#options;
    return !isDeclarationFile && fileName.startsWith(`${projectDir}/`) && !fileName.includes(INSTALLED);
  }

  #line(error: ts.Diagnostic): string {
    const { file, start = 0 } = error;
    const text = `${textOf(error)} (TS${error.code})`;
    if (file === undefined) return text;
    const { line, character } = file.getLineAndCharacterOfPosition(start);
    return `${path.relative(this.#options.projectDir, file.fileName)}:${line + 1}:${character + 1}: ${text}`;
  }
}

function errorsOf(program: ts.SemanticDiagnosticsBuilderProgram, file: ts.SourceFile): ts.Diagnostic[] {
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
}

/** What is installed changes with the lock file only, and there are thousands of it. */
function versionOf(name: string): string {
  if (name.includes(INSTALLED)) return '';
  const found = fs.statSync(name, { throwIfNoEntry: false });
  return found === undefined ? 'absent' : `${found.mtimeMs} ${found.size}`;
}

/** The first line says what, the others why in detail. */
function textOf({ messageText }: ts.Diagnostic): string {
  return typeof messageText === 'string' ? messageText : messageText.messageText;
}
