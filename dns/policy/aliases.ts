/** Aliases of YAML: each must lead to an anchor, never to itself, and all of them together must stay of a size. */
import { type Alias, type Document, isAlias, isCollection, isPair, type LineCounter, visit } from 'yaml';

/** Keys and values with every alias written out; a policy of 1,000 names has some 10,000. */
const PARTS_MAX = 1_000_000;

export interface AliasMistake {
  readonly message: string;
  readonly linePos: readonly [{ readonly line: number }];
}

export function aliasMistakes(document: Document, lines: LineCounter): readonly AliasMistake[] {
  const mistakes: AliasMistake[] = [];
  const at = (node: Alias, message: string): void => {
    mistakes.push({ message, linePos: [lines.linePos(node.range?.[0] ?? 0)] });
  };
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) === undefined) at(alias, `Alias *${alias.source} leads to nothing`);
    },
  });
  if (mistakes.length > 0) return mistakes;
  const sizes = new Map<unknown, number | 'open'>();
  const sizeOf = (node: unknown): number => {
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (sizes.get(target) === 'open') {
        at(node, `Alias *${node.source} leads to what it is a part of`);
        return 0;
      }
      const size = sizeOf(target);
      if (size > PARTS_MAX) at(node, `Alias *${node.source} makes this larger than ${PARTS_MAX} parts`);
      return size;
    }
    if (isPair(node)) return sizeOf(node.key) + sizeOf(node.value);
    if (!isCollection(node)) return 1;
    const known = sizes.get(node);
    if (typeof known === 'number') return known;
    sizes.set(node, 'open');
    const size = node.items.reduce<number>((sum, item) => sum + sizeOf(item), 1);
    sizes.set(node, size);
    return size;
  };
  sizeOf(document.contents);
  return mistakes.slice(0, 1);
}
