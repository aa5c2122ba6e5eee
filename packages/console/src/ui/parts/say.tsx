/** What was done, or could not be: said once, for eyes and for screen readers. */
import { signal } from '@preact/signals';
import type { JSX } from 'preact';

interface Said {
  readonly text: string;
  readonly isProblem: boolean;
}

const said = signal<Said | undefined>(undefined);

export function say(text: string): void {
  said.value = { text, isProblem: false };
}

/** Carries an action out, says what came of it. @returns Undefined when it failed; that is said. */
export async function doing<T>(act: () => Promise<T>, done: (result: T) => string): Promise<T | undefined> {
  try {
    const result = await act();
    say(done(result));
    return result;
  } catch (error) {
    said.value = { text: error instanceof Error ? error.message : String(error), isProblem: true };
    return undefined;
  }
}

/** Once in the page. */
export function Said(): JSX.Element {
  const now = said.value;
  return (
    <div class="said" aria-live="polite" role="status">
      {now !== undefined && (
        <p class={now.isProblem ? 'problem' : 'good'}>
          {now.text}{' '}
          <button
            type="button"
            class="quiet"
            aria-label="Take this message away"
            onClick={() => (said.value = undefined)}
          >
            ✕
          </button>
        </p>
      )}
    </div>
  );
}
