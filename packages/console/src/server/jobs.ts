/**
 * Work that takes longer than a request: it has an id, can be looked at while it runs, and can be stopped.
 *
 * Invariant: one runs at a time; of the last `JOBS_MAX` it is known how they ended, and of each its last `LINES_MAX` lines.
 */
import { ConsoleError } from './reply.ts';

const JOBS_MAX = 20;
const LINES_MAX = 500;

/** A job as the page sees it. */
export interface JobView<Detail> {
  readonly id: string;
  /** In a sentence. */
  readonly what: string;
  readonly startedAt: string;
  /** Absent: it runs. */
  readonly endedAt?: string;
  readonly isStopped: boolean;
  /** How it ended. */
  readonly result?: 'done' | 'not done';
  /** Why it ended otherwise, where it did not say so itself. */
  readonly problem?: string;
  /** What it said, the last of it. */
  readonly lines: readonly string[];
  readonly detail?: Detail;
}

/** What a job has while it runs. */
export interface Running<Detail> {
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  readonly show: (detail: Detail) => void;
}

interface Kept<Detail> {
  view: JobView<Detail>;
  readonly stop: AbortController;
}

export class Jobs<Detail> {
  readonly #jobs: Kept<Detail>[] = [];
  #count = 0;

  /** @param run Resolves with whether all of it was done. @throws ConsoleError when another one runs */
  start(what: string, run: (running: Running<Detail>) => Promise<boolean>): JobView<Detail> {
    const other = this.#jobs.find(({ view }) => view.endedAt === undefined);
    if (other !== undefined) throw new ConsoleError(409, `One at a time: '${other.view.what}' still runs`);
    this.#count += 1;
    const stop = new AbortController();
    const id = `${Date.now().toString(36)}-${this.#count}`;
    const startedAt = new Date().toISOString();
    const kept: Kept<Detail> = { view: { id, what, startedAt, isStopped: false, lines: [] }, stop };
    const add = (more: Partial<JobView<Detail>>): void => void (kept.view = { ...kept.view, ...more });
    this.#jobs.push(kept);
    if (this.#jobs.length > JOBS_MAX) this.#jobs.shift();
    const running: Running<Detail> = {
      signal: stop.signal,
      say: (text) => {
        const lines = text.split('\n').filter((line) => line.trim() !== '');
        add({ lines: [...kept.view.lines, ...lines].slice(-LINES_MAX) });
      },
      show: (detail) => add({ detail }),
    };
    const ended = (more: Partial<JobView<Detail>>): void =>
      add({ ...more, endedAt: new Date().toISOString() });
    run(running).then(
      (isDone) => ended({ result: isDone ? 'done' : 'not done' }),
      (error: unknown) =>
        ended({ result: 'not done', problem: error instanceof Error ? error.message : String(error) }),
    );
    return kept.view;
  }

  /** The newest first. */
  list(): readonly JobView<Detail>[] {
    return this.#jobs.map(({ view }) => view).reverse();
  }

  /** Asks it to end; it says itself when it has. @throws ConsoleError when there is no such job */
  stop(id: string): JobView<Detail> {
    const job = this.#jobs.find(({ view }) => view.id === id);
    if (job === undefined) throw new ConsoleError(404, `there is no job ${id}`);
    if (job.view.endedAt === undefined && !job.view.isStopped) {
      job.view = { ...job.view, isStopped: true };
      job.stop.abort();
    }
    return job.view;
  }
}
