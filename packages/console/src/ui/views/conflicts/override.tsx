/** Makes the loser's value win, or another one. */
import type { JSX, TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import type { ConflictView } from '@tandem-clouds/operator/operator-api';
import { ofSite } from '../../api.ts';
import { short } from '../../format.ts';
import { confirmed } from '../../parts/confirm.tsx';
import { say } from '../../parts/say.tsx';
import { NOTE_MAX } from './bulk.tsx';

interface OverrideProps {
  readonly conflict: ConflictView;
  readonly site: string;
  readonly done: () => void;
}

export function Override({ conflict, site, done }: OverrideProps): JSX.Element {
  const { id, record, field, loser } = conflict;
  const [own, setOwn] = useState(false);
  const [text, setText] = useState(() => JSON.stringify(loser.value ?? null, null, 2));
  const [note, setNote] = useState('');
  const [problem, setProblem] = useState('');
  const write = async (): Promise<void> => {
    setProblem('');
    const value: unknown = own ? JSON.parse(text) : loser.value;
    const why = await confirmed({
      title: `Override ${record}?`,
      will: [
        `${field} becomes ${short(value)} at ${site}, as a newer write of the field, whoever else writes it.`,
        'It crosses to every site, and replaces what was written since.',
        'The entry keeps the decision, its note and when.',
      ],
      act: 'Override',
    });
    if (why === undefined) return;
    const body = { ...(own && { value }), ...(note.trim() !== '' && { note: note.trim() }) };
    const path = `replication/conflicts/${encodeURIComponent(id)}/override`;
    await ofSite<ConflictView>(site, path, { method: 'POST', body, why });
    say(`${record}: ${field} is ${short(value)} now.`);
    done();
  };
  const submit = (event: TargetedEvent<HTMLFormElement>): void => {
    event.preventDefault();
    write().catch((error: unknown) => setProblem(sentenceOf(error)));
  };
  return (
    <section aria-labelledby="override">
      <h2 id="override">Override</h2>
      <form class="form" onSubmit={submit}>
        <fieldset>
          <legend>Value to write</legend>
          <label class="tick">
            <input type="radio" name="value" checked={!own} onChange={() => setOwn(false)} />
            The one that lost: <code>{short(loser.value)}</code>
          </label>
          <label class="tick">
            <input type="radio" name="value" checked={own} onChange={() => setOwn(true)} />
            Another one
          </label>
        </fieldset>
        {own && (
          <label class="filter">
            Value, as JSON
            <textarea
              value={text}
              spellcheck={false}
              {...(problem !== '' && { 'aria-invalid': true, 'aria-describedby': 'override-problem' })}
              onInput={({ currentTarget }) => setText(currentTarget.value)}
            />
          </label>
        )}
        <label class="filter">
          Note (may be empty); the entry keeps it
          <input
            value={note}
            maxLength={NOTE_MAX}
            autoComplete="off"
            onInput={({ currentTarget }) => setNote(currentTarget.value)}
          />
        </label>
        {problem !== '' && (
          <p class="problem" role="alert" id="override-problem">
            {problem}
          </p>
        )}
        <div class="buttons">
          <button type="submit" class="primary">
            Override …
          </button>
        </div>
      </form>
    </section>
  );
}

function sentenceOf(error: unknown): string {
  if (error instanceof SyntaxError) return `It is not JSON: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
