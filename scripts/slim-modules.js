/**
 * What npm runs after an installation: removes from node_modules what nobody here loads, a third of its size. Plain
 * JavaScript, for whatever Node npm runs with.
 *
 * Invariant: a folder that is linked (a workspace) is not entered, and nothing is removed that `import` or `require` finds
 * in Node, or the compiler of types.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE_MAP = /\.(?:[cm]?[jt]s|css)\.map$/;
/** Node refuses TypeScript in node_modules, so packages come compiled, with declarations. */
const SOURCE = /(?<!\.d)\.[cm]?ts$/;
/** A package that gives its types as a source, as few do. */
const TYPED_BY_SOURCE = /"types": *"[^"]*(?<!\.d)\.[cm]?ts"/;

const FOLDERS = [
  // Of the package `node`: with them native modules would be compiled.
  /[\\/]include[\\/]node$/,
  // AWS's declarations once more, for TypeScript before 4.5.
  /[\\/]dist-types[\\/]ts3\.4$/,
];
/** What Microsoft's SDKs have beside `dist/esm` and `dist/commonjs`. */
const OTHER_RUNTIMES = ['browser', 'react-native'];

/**
 * @param {string} folder
 * @param {boolean} typedBySource Whether the package that the folder is in gives its types as a source.
 */
export function slim(folder, typedBySource = false) {
  const entries = fs.readdirSync(folder, { withFileTypes: true });
  const names = new Set(entries.map(({ name }) => name));
  const keepsSources =
    typedBySource ||
    (names.has('package.json') &&
      TYPED_BY_SOURCE.test(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')));
  for (const entry of entries) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (isUnused(at, names)) fs.rmSync(at, { recursive: true });
      else slim(at, keepsSources);
    } else if (entry.isFile() && (SOURCE_MAP.test(entry.name) || (SOURCE.test(entry.name) && !keepsSources)))
      fs.rmSync(at);
  }
}

/**
 * @param {string} folder
 * @param {Set<string>} beside The names in its parent folder.
 */
function isUnused(folder, beside) {
  const name = path.basename(folder);
  const parent = path.basename(path.dirname(folder));
  if (OTHER_RUNTIMES.includes(name)) return parent === 'dist' && beside.has('esm');
  if (parent === 'prebuilds') return !isOfThisMachine(name);
  return FOLDERS.some((unused) => unused.test(folder));
}

/** @param {string} name Of a folder of native modules: `linux-x64`, `darwin-x64+arm64`. */
function isOfThisMachine(name) {
  const [platform, architectures = ''] = name.split('-');
  return platform === process.platform && architectures.split('+').includes(process.arch);
}

if (fs.realpathSync(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  const modules = fileURLToPath(new URL('../node_modules', import.meta.url));
  if (fs.existsSync(modules)) slim(modules);
}
