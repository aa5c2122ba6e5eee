/**
 * The XML of Blob Storage's answers. Requests are read by `core/xml.ts`.
 *
 * Invariant: whatever text is in an element, a parser of XML 1.0 gives it back: what XML cannot hold is refused before it
 * is stored, or is written in percent-encoding (`Encoded="true"`, of names since version 2021-02-12).
 * @see https://learn.microsoft.com/rest/api/storageservices/list-blobs
 */

/** What XML 1.0 has no place for, escaped or not. https://www.w3.org/TR/xml/#charsets */
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** Most texts of a list have none of these. */
const ESCAPED = /[&<>"\r]/;

export const DECLARATION = '<?xml version="1.0" encoding="utf-8"?>';

type Attributes = Readonly<Record<string, string>>;
type Text = string | number | boolean;

/** Text that is undefined makes no element at all. */
export function element(name: string, text: Text | undefined): string;
export function element(name: string, attributes: Attributes, children: readonly string[]): string;
export function element(
  name: string,
  content: Text | Attributes | undefined,
  children: readonly string[] = [],
): string {
  if (content === undefined) return '';
  if (typeof content !== 'object') return `<${name}>${escaped(String(content))}</${name}>`;
  const attributes = Object.entries(content).map(([key, value]) => ` ${key}="${escaped(value)}"`);
  return `<${name}${attributes.join('')}>${children.join('')}</${name}>`;
}

/** The name of a blob, or of a prefix. */
export function nameElement(name: string): string {
  if (!NOT_XML.test(name)) return element('Name', name);
  return `<Name Encoded="true">${encodeURIComponent(name)}</Name>`;
}

function escaped(text: string): string {
  if (!ESCAPED.test(text)) return text;
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#xD;');
}
