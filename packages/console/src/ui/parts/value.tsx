/** A value of a record on a line; what is longer is there on demand, and never all at once in the page. */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { bytes } from '../format.ts';
import { Copy } from './parts.tsx';

const SHORT_CHARACTERS_MAX = 160;
const SHOWN_CHARACTERS_MAX = 20_000;

/** Undefined of what is not there. */
const jsonOf = (value: unknown): string | undefined => JSON.stringify(value, null, 2);

/** Nothing in it is markup. @param name Of whoever cannot see what it stands beside. */
export function Value({ value, name }: { value: unknown; name: string }): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const text = useMemo(() => (typeof value === 'string' ? value : jsonOf(value)), [value]);
  if (text === undefined) return <span class="muted">—</span>;
  if (text.length <= SHORT_CHARACTERS_MAX) return <span class="value">{text}</span>;
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <span class="value">{text.slice(0, 80)}…</span> <small>{bytes(text.length)}</small>
      </summary>
      {isOpen && (
        <>
          <pre class="json" tabIndex={0} role="region" aria-label={name}>
            {text.slice(0, SHOWN_CHARACTERS_MAX)}
          </pre>
          {text.length > SHOWN_CHARACTERS_MAX && (
            <p class="muted">The first {SHOWN_CHARACTERS_MAX.toLocaleString()} characters.</p>
          )}
          <Copy text={text} label={`Copy all of ${name}`} />
        </>
      )}
    </details>
  );
}
