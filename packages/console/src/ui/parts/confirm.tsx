/** Nothing is done without saying what it will do: one dialog for every action. */
import { signal } from '@preact/signals';
import type { JSX, TargetedEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

export interface Question {
  readonly title: string;
  /** What will happen, a sentence each. */
  readonly will: readonly string[];
  /** The word on the button that does it. */
  readonly act: string;
  /** It takes something away from somebody. */
  readonly isDangerous?: boolean;
  /** A reason must be given. */
  readonly needsWhy?: boolean;
}

interface Open extends Question {
  readonly answer: (why: string | undefined) => void;
}

const open = signal<Open | undefined>(undefined);

/** What was given as the reason, which may be empty; undefined: it is not to be done. */
export function confirmed(question: Question): Promise<string | undefined> {
  open.value?.answer(undefined);
  return new Promise((resolve) => {
    open.value = {
      ...question,
      answer: (why) => {
        open.value = undefined;
        resolve(why);
      },
    };
  });
}

/** Once in the page. */
export function Confirm(): JSX.Element | null {
  const question = open.value;
  return question === undefined ? null : <Dialog key={question.title} question={question} />;
}

function Dialog({ question }: { question: Open }): JSX.Element {
  const { title, will, act, isDangerous = false, needsWhy = false, answer } = question;
  const dialog = useRef<HTMLDialogElement>(null);
  const [why, setWhy] = useState('');
  useEffect(() => {
    const { current } = dialog;
    if (current?.open === false) current.showModal();
  }, []);
  const submit = (event: TargetedEvent<HTMLFormElement>): void => {
    event.preventDefault();
    answer(why.trim());
  };
  return (
    <dialog ref={dialog} aria-labelledby="confirm-title" onClose={() => answer(undefined)}>
      <form onSubmit={submit}>
        <h2 id="confirm-title">{title}</h2>
        <ul>
          {will.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
        <label>
          Why{needsWhy ? '' : ' (may be empty)'}; it is written to the audit log
          <input
            name="why"
            value={why}
            required={needsWhy}
            maxLength={500}
            autoComplete="off"
            onInput={({ currentTarget }) => setWhy(currentTarget.value)}
          />
        </label>
        <div class="buttons">
          <button type="button" class="quiet" onClick={() => answer(undefined)}>
            Leave it
          </button>
          <button type="submit" class={isDangerous ? 'danger' : 'primary'}>
            {act}
          </button>
        </div>
      </form>
    </dialog>
  );
}
