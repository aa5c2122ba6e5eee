/** The request that something was asked with, or is about to be, for a shell. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Copy } from './parts.tsx';

const SHOWN_CHARACTERS_MAX = 4_000;

export function AsCurl({ text, of }: { text: () => string; of: string }): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const command = isOpen ? text() : '';
  return (
    <details class="curl" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>As curl</summary>
      {isOpen && (
        <>
          <pre class="json" tabIndex={0} role="region" aria-label={`curl of ${of}`}>
            {command.slice(0, SHOWN_CHARACTERS_MAX)}
            {command.length > SHOWN_CHARACTERS_MAX && '…'}
          </pre>
          <Copy text={command} label="Copy" />
        </>
      )}
    </details>
  );
}
