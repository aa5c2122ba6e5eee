/** A plan as the commands print it: what goes and what comes. */
import type { JSX } from 'preact';
import { kindOfLine } from '../shares.ts';

const LINES_MAX = 500;

export function Diff({ text, label }: { text: string; label: string }): JSX.Element {
  const lines = text.trimEnd().split('\n');
  return (
    <pre class="json diff" tabIndex={0} role="region" aria-label={label}>
      {lines.slice(0, LINES_MAX).map((line, index) => (
        <span key={index} class={`diff-${kindOfLine(line)}`}>
          {line.slice(0, 2_000)}
          {'\n'}
        </span>
      ))}
      {lines.length > LINES_MAX && `… ${lines.length - LINES_MAX} more lines`}
    </pre>
  );
}
