/** A text of any length: its begin, and all of it for who asks. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

const CHARACTERS = 2_000;

/** @param label Of what, for who does not see it. */
export function Bounded({ text, label }: { text: string; label: string }): JSX.Element {
  const [isWhole, setWhole] = useState(false);
  const isLong = text.length > CHARACTERS;
  return (
    <>
      <pre class="json" tabIndex={0} role="group" aria-label={label}>
        {isWhole || !isLong ? text : `${text.slice(0, CHARACTERS)}…`}
      </pre>
      {isLong && (
        <button type="button" class="quiet" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? 'Show the begin only' : `Show all ${text.length.toLocaleString()} characters`}
        </button>
      )}
    </>
  );
}
