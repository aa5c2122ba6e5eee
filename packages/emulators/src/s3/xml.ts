/** Answers in XML, and elements of requests. */
import { type Element, toXml } from '../core/xml.ts';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

export function document(root: string, value: Readonly<Record<string, unknown>>): string {
  const xml = toXml(root, value).replace(`<${root}>`, `<${root} xmlns="${NAMESPACE}">`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${xml}`;
}

export const childOf = (element: Element | undefined, name: string): Element | undefined =>
  element?.children.find((child) => child.name === name);

export const childrenOf = (element: Element, name: string): Element[] =>
  element.children.filter((child) => child.name === name);

export const textIn = (element: Element | undefined, name: string): string | undefined =>
  childOf(element, name)?.text.trim();
