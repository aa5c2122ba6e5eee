/**
 * Tags of a blob: as a header, as XML, and in a condition.
 * @see https://learn.microsoft.com/rest/api/storageservices/set-blob-tags
 */
import { parseXml } from '../core/xml.ts';
import { badHeader, BlobError } from './errors.ts';
import { DECLARATION, element } from './xml.ts';

type Tags = Readonly<Record<string, string>>;

const TAGS_MAX = 10;
const KEY_CHARS_MAX = 128;
const VALUE_CHARS_MAX = 256;
const ALLOWED = /^[A-Za-z0-9 +\-./:=_]*$/;

/** @param text As the query of a URL: `a=1&b=2`. @throws BlobError */
export function tagsInHeader(text: string | undefined): Tags {
  return checked([...new URLSearchParams(text ?? '')]);
}

/** @throws BlobError */
export function tagsInXml(xml: string): Tags {
  try {
    const { root } = parseXml(xml.replace(/^\uFEFF/, '').trim());
    const set = root.children.find(({ name }) => name === 'TagSet');
    if (root.name !== 'Tags' || set === undefined) throw new Error('no TagSet');
    return checked(
      set.children.map(({ children }) => {
        const text = (wanted: string): string => children.find(({ name }) => name === wanted)?.text ?? '';
        return [text('Key'), text('Value')] as const;
      }),
    );
  } catch (error) {
    throw error instanceof BlobError ? error : new BlobError('InvalidXmlDocument');
  }
}

function checked(tags: readonly (readonly [string, string])[]): Tags {
  const fits =
    tags.length <= TAGS_MAX &&
    new Set(tags.map(([key]) => key)).size === tags.length &&
    tags.every(
      ([key, value]) =>
        key.length > 0 &&
        key.length <= KEY_CHARS_MAX &&
        value.length <= VALUE_CHARS_MAX &&
        ALLOWED.test(key) &&
        ALLOWED.test(value),
    );
  if (!fits) throw badHeader('x-ms-tags', tags.map((tag) => tag.join('=')).join('&'));
  return Object.fromEntries(tags);
}

/** In an answer, and in a list. */
export function tagsElement(tags: Tags): string {
  const list = Object.entries(tags).map(([key, value]) =>
    element('Tag', {}, [element('Key', key), element('Value', value)]),
  );
  return element('Tags', {}, [element('TagSet', {}, list)]);
}

export const tagsDocument = (tags: Tags): string => DECLARATION + tagsElement(tags);

const TERM = /^\s*"([^"]+)"\s*(=|<>|<=|>=|<|>)\s*'((?:[^']|'')*)'\s*$/;

/**
 * Whether tags fulfil a condition: comparisons of texts with AND and OR between, AND first.
 * @param condition `"state" = 'done' AND "rank" >= '5'`
 * @throws BlobError when it is not well formed.
 */
export function matchesTags(condition: string, tags: Tags): boolean {
  return condition
    .split(/\sOR\s(?=\s*")/i)
    .some((part) => part.split(/\sAND\s(?=\s*")/i).every((term) => holds(term, tags)));
}

function holds(term: string, tags: Tags): boolean {
  const [, key = '', operator = '', quoted = ''] = TERM.exec(term) ?? [];
  if (operator === '') throw badHeader('x-ms-if-tags', term);
  const [value, wanted] = [Object.hasOwn(tags, key) ? tags[key] : undefined, quoted.replaceAll("''", "'")];
  if (value === undefined) return operator === '<>';
  switch (operator) {
    case '=':
      return value === wanted;
    case '<>':
      return value !== wanted;
    case '<':
      return value < wanted;
    case '<=':
      return value <= wanted;
    case '>':
      return value > wanted;
    default:
      return value >= wanted;
  }
}
