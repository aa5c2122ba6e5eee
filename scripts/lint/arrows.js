/** The ESLint rule that holds every import to the rooms of rooms.js. */
import fs from 'node:fs';
import path from 'node:path';
import { isTest, roomOf, ROOMS } from './rooms.js';

const ROOT = path.join(import.meta.dirname, '../..');
const PACKAGE = /^@tandem-clouds\/([^/]+)(?:\/(.+))?$/;

/** @param {string} name Of a package of ours. @returns {string} The file that it is without a path. */
function mainOf(name) {
  const manifest = path.join(ROOT, 'packages', name, 'package.json');
  const { exports } = JSON.parse(fs.readFileSync(manifest, 'utf8'));
  return path.posix.join('packages', name, exports['.']);
}

/**
 * The file of this repository that a specifier means, from the root with `/`.
 * @param {string} from The importing file, from the root.
 * @param {string} specifier
 * @returns {string | undefined} Undefined: a module of Node or of somebody else.
 */
export function importedFile(from, specifier) {
  const [, name, rest] = PACKAGE.exec(specifier) ?? [];
  if (name !== undefined) return rest === undefined ? mainOf(name) : `packages/${name}/src/${rest}.ts`;
  return specifier.startsWith('.') ? path.posix.join(path.posix.dirname(from), specifier) : undefined;
}

/** @returns {string | undefined} What is wrong with the import. */
export function mistakeOf(from, specifier) {
  const target = importedFile(from, specifier);
  const [own, other] = [roomOf(from), target && roomOf(target)];
  if (target === undefined || own === undefined) return undefined;
  if (other === undefined) return isTest(target) ? `${own} knows no tests` : undefined;
  if (own === other || ROOMS[own].includes(other)) return undefined;
  return `${own} may not import ${other}: see scripts/lint/rooms.js`;
}

export const arrows = {
  meta: { type: 'problem', schema: [], docs: { description: 'Imports follow the arrows of the rooms.' } },
  create(context) {
    const from = path
      .relative(ROOT, fs.realpathSync(path.dirname(context.filename)))
      .replaceAll(path.sep, '/');
    const file = path.posix.join(from, path.basename(context.filename));
    const check = (node) => {
      const mistake = typeof node?.value === 'string' ? mistakeOf(file, node.value) : undefined;
      if (mistake !== undefined) context.report({ node, message: mistake });
    };
    return {
      ImportDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      TSImportType: (node) => check(node.source ?? node.argument?.literal),
      'CallExpression[callee.name="require"]': (node) => check(node.arguments[0]),
    };
  },
};
