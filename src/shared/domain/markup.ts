/** Text with markup in which every value is text: what is put into it is escaped, unless it is such text itself. */

export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (char) => ESCAPES[char] ?? char);
}

/** @example markup`<p>${name}</p>`.text */
export function markup(
  strings: TemplateStringsArray,
  ...values: readonly (string | Html | readonly Html[])[]
): Html {
  const shown = (value: string | Html | readonly Html[]): string => {
    if (typeof value === 'string') return escaped(value);
    return value instanceof Html ? value.text : value.map(({ text }) => text).join('');
  };
  return new Html(
    strings.map((part, i) => part + (i < values.length ? shown(values[i] ?? '') : '')).join(''),
  );
}
