/** The `Content-Type` of a request (RFC 9110, section 8.3). */

/** A media type in lower case, and what its `charset` parameters say. */
export interface MediaType {
  readonly type: string;
  readonly charsets: readonly string[];
}

const TYPE = /^[ \t]*([\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+)[ \t]*/;
const PARAMETER = /;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~-]+)|"((?:[^"\\]|\\.)*)"))?[ \t]*/y;

/** Reads a header's value; undefined when it is no media type, as when a request has two of them. */
export function parseMediaType(header: string): MediaType | undefined {
  const [matched, type] = TYPE.exec(header) ?? [];
  if (matched === undefined || type === undefined) return undefined;
  const charsets: string[] = [];
  PARAMETER.lastIndex = matched.length;
  while (PARAMETER.lastIndex < header.length) {
    const found = PARAMETER.exec(header);
    if (found === null) return undefined;
    const [, name, token, quoted] = found;
    if (name?.toLowerCase() === 'charset') charsets.push((token ?? unquoted(quoted)).toLowerCase());
  }
  return { type: type.toLowerCase(), charsets };
}

function unquoted(text = ''): string {
  return text.replace(/\\(.)/g, '$1');
}
