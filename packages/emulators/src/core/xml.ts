/** Just the XML of AWS restXml requests: elements and text, no attributes but the root's namespace. */
import { own } from '@tandem-clouds/command-line/own';

export interface Element {
  readonly name: string;
  readonly text: string;
  readonly children: readonly Element[];
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** @throws Error for what is not well formed. */
export function parseXml(xml: string): { readonly root: Element; readonly namespace: string } {
  const namespace = /<[A-Za-z]+ xmlns="([^"]*)"/.exec(xml)?.[1] ?? '';
  const document = { name: '', text: '', children: [] as Element[] };
  const open = [document];
  for (const [token, close, name, empty] of xml
    .replace(/^<\?[^>]*\?>/, '')
    .matchAll(/<(\/?)([A-Za-z0-9]+)[^>]*?(\/?)>|[^<]+/g)) {
    const top = open.at(-1) ?? document;
    if (name === undefined) top.text += decode(token);
    else if (close === '/') {
      if (top.name !== name) throw new Error(`</${name}> closes <${top.name}>`);
      open.pop();
      open.at(-1)?.children.push(top);
    } else {
      const element = { name, text: '', children: [] };
      if (empty === '/') top.children.push(element);
      else open.push(element);
    }
  }
  const [root] = document.children;
  if (open.length !== 1 || root === undefined) throw new Error('not one whole element');
  return { root, namespace };
}

function decode(text: string): string {
  return text.replace(/&(#x[0-9A-Fa-f]+|#\d+|\w+);/g, (all, entity: string) => {
    if (entity.startsWith('#x')) return String.fromCodePoint(parseInt(entity.slice(2), 16));
    if (entity.startsWith('#')) return String.fromCodePoint(Number(entity.slice(1)));
    return ENTITIES[entity] ?? all;
  });
}

/** Objects become elements, arrays repeat their element, undefined is left out. */
export function toXml(name: string, value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map((item) => toXml(name, item)).join('');
  if (typeof value === 'object' && value !== null) {
    return `<${name}>${Object.entries(value)
      .map(([key, part]) => toXml(key, part))
      .join('')}</${name}>`;
  }
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    throw new Error(`${name} cannot be written`);
  }
  const text = String(value);
  return `<${name}>${escaped(text)}</${name}>`;
}

/** Line ends and other control characters as references: a reader would change the first, or refuse the others. */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\u0000-\u001f]/g, (control) => `&#${control.charCodeAt(0)};`);
}

/** The element as plain data, checked against a shape. @throws Error naming what the shape does not have. */
export function shaped(element: Element, shape: Shape, path = element.name): unknown {
  if (typeof shape === 'function') {
    if (element.children.length > 0) throw new Error(`${path} must be text`);
    return shape(element.text, path);
  }
  if (!('required' in shape)) {
    const [item, itemShape] = shape;
    return element.children.map((child) => {
      if (child.name !== item) throw new Error(`${path} holds ${item}, not ${child.name}`);
      return shaped(child, itemShape, `${path}/${item}`);
    });
  }
  const { required, members } = shape;
  const children = element.children.map((child): [Element, Shape] => {
    const member = own(members, child.name);
    if (member === undefined) throw new Error(`${path} has no ${child.name}`);
    return [child, member];
  });
  for (const name of required) {
    if (!element.children.some((child) => child.name === name)) throw new Error(`${path} needs ${name}`);
  }
  return Object.fromEntries(
    children.map(([child, member]) => [child.name, shaped(child, member, `${path}/${child.name}`)]),
  );
}

/** A scalar, a list of one element name, or a structure. */
export type Shape =
  | ((text: string, path: string) => unknown)
  | readonly [item: string, shape: Shape]
  | { readonly required: readonly string[]; readonly members: Readonly<Record<string, Shape>> };
