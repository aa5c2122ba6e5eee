/** What ties a picture to its source, so that a test can tell a picture that is out of date. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

export const DIAGRAMS = path.join(import.meta.dirname, '../../docs/diagrams');
/** How all of them look; part of what they are made from. */
export const STYLE = path.join(DIAGRAMS, 'mermaid.json');

/** The names of the sources, without `.mmd`. */
export function diagramNames(): readonly string[] {
  return fs
    .readdirSync(DIAGRAMS)
    .filter((file) => file.endsWith('.mmd'))
    .map((file) => path.basename(file, '.mmd'));
}

/** A comment at the end of the SVG: of what it and the PNG were made, and which PNG that was. */
export function stampOf(name: string): string {
  const source = digest(path.join(DIAGRAMS, `${name}.mmd`), STYLE);
  return `<!-- tandem diagrams: from ${source}, with the PNG ${digest(path.join(DIAGRAMS, `${name}.png`))} -->`;
}

/** SHA-256 in hexadecimal. */
function digest(...files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(fs.readFileSync(file));
  return hash.digest('hex');
}
