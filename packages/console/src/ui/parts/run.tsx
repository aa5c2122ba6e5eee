/**
 * Work of many steps that the page itself carries out: how far it is, what came of each step, and a button that stops it.
 *
 * Invariant: it goes on while another view is shown, and is found again there; leaving the page ends it, and what was done by
 * then is done.
 */
import { type Signal, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { count } from '../format.ts';
import { say } from './say.tsx';

/** What came of one step. */
export interface Step {
  readonly name: string;
  readonly isDone: boolean;
  readonly detail: string;
}

export interface Run {
  readonly title: string;
  /** Undefined: nobody knows how many there will be. */
  readonly total: number | undefined;
  readonly done: number;
  readonly steps: readonly Step[];
  readonly state: 'running' | 'stopping' | 'ended' | 'stopped';
  /** Why it could not go on. */
  readonly problem?: string;
  readonly stop: () => void;
}

/** @param done Steps that are over, in all. @param steps What came of those that there is something to say of. */
export type Report = (done: number, steps: readonly Step[]) => void;

export type Runs = Signal<Run | undefined>;

export const runs = (): Runs => signal<Run | undefined>(undefined);

const SHOWN_STEPS = 200;

/** Begins it, unless one goes on. @returns When it is over, however it ended. */
export async function begin(
  run: Runs,
  { title, total }: Pick<Run, 'title' | 'total'>,
  work: (report: Report, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  if (isUnderWay(run)) return;
  const leave = new AbortController();
  const change = (part: Partial<Run>): void => {
    if (run.value !== undefined) run.value = { ...run.value, ...part };
  };
  const stop = (): void => {
    leave.abort();
    change({ state: 'stopping' });
  };
  run.value = { title, total, done: 0, steps: [], state: 'running', stop };
  let problem: string | undefined;
  try {
    await work((done, steps) => change({ done, steps }), leave.signal);
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  const state = leave.signal.aborted ? 'stopped' : 'ended';
  change({ state, ...(problem !== undefined && { problem }) });
  say(`${title}: ${run.value.done.toLocaleString()} done${problem === undefined ? '' : `; ${problem}`}.`);
}

export function isUnderWay({ value }: Runs): boolean {
  return value?.state === 'running' || value?.state === 'stopping';
}

/** How the latest of them is getting on; nothing where there was none. */
export function RunShown({ run }: { run: Runs }): JSX.Element | null {
  const now = run.value;
  if (now === undefined) return null;
  const { title, total, done, steps, state, problem, stop } = now;
  const failed = steps.filter(({ isDone }) => !isDone).length;
  const words = {
    running: 'goes on',
    stopping: 'stops after this step',
    stopped: 'was stopped',
    ended: 'is over',
  }[state];
  return (
    <section class="card run" aria-label={title}>
      <h2>{title}</h2>
      <p>
        It {words}: {done.toLocaleString()}
        {total !== undefined && ` of ${total.toLocaleString()}`} done
        {failed > 0 && `, ${count(failed, 'failure')}`}.
      </p>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {isUnderWay(run) && (
        <progress aria-label={title} {...(total !== undefined && { max: Math.max(1, total), value: done })} />
      )}
      <div class="buttons">
        {isUnderWay(run) ? (
          <button type="button" disabled={state === 'stopping'} onClick={stop}>
            Stop
          </button>
        ) : (
          <button type="button" class="quiet" onClick={() => (run.value = undefined)}>
            Take this away
          </button>
        )}
      </div>
      {steps.length > 0 && (
        <ul class="steps" tabIndex={0} role="list" aria-label="What came of it">
          {[...steps.slice(-SHOWN_STEPS)].reverse().map(({ name, isDone, detail }, index) => (
            <li key={`${name} ${index}`} class={isDone ? 'good' : 'problem'}>
              {isDone ? '✓' : '✗'} {name}: {detail}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
