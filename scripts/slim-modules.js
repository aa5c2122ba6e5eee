/**
 * What npm runs after an installation: removes from node_modules what nobody here loads, a quarter of its size. Source maps
 * of packages, whose sources are mostly not there either, and the headers of the package `node`, with which native modules
 * would be compiled. Plain JavaScript, for whatever Node npm runs with.
 *
 * Invariant: a folder that is linked (a workspace) is not entered, and nothing is removed that `import` or `require` finds.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE_MAP = /\.(?:[cm]?[jt]s|css)\.map$/;
const HEADERS = path.join('include', 'node');

/** @param {string} folder */
export function slim(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (at.endsWith(path.sep + HEADERS)) fs.rmSync(at, { recursive: true });
      else slim(at);
    } else if (entry.isFile() && SOURCE_MAP.test(entry.name)) fs.rmSync(at);
  }
}

if (fs.realpathSync(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  const modules = fileURLToPath(new URL('../node_modules', import.meta.url));
  if (fs.existsSync(modules)) slim(modules);
}
