/**
 * How a run goes, step by step: what a loss of a site would cost, and on how much the sites differ. A step is anything that
 * happens at one moment of virtual time.
 *
 * Invariant: looking changes nothing, and costs memory that does not grow with the run.
 */
import type { StoredRecord } from '@tandem-clouds/replication/record';
import { canonical, isOwnCount, isOwnReport } from '../history/facts.ts';

/** What of a world is looked at. */
interface Seen {
  readonly sites: readonly { readonly store: { readonly records: ReadonlyMap<string, StoredRecord> } }[];
  readonly agenda: { readonly nowMs: number };
}

export interface CourseSample {
  readonly step: number;
  /** Keys with a write that a peer's queue has not accepted, at any site. */
  readonly atRisk: number;
  /** Keys that two sites or more have, in different states. */
  readonly differing: number;
}

export interface CourseMark {
  readonly text: string;
  readonly step: number;
  /** Of virtual time. */
  readonly atMs: number;
}

/** Samples that are kept, at most: as many as the picture has room for. */
const SAMPLES_MAX = 400;

export class Course {
  readonly marks: CourseMark[] = [];
  #samples: CourseSample[] = [];
  #steps = 0;
  #every = 1;

  get samples(): readonly CourseSample[] {
    return this.#samples;
  }

  get steps(): number {
    return this.#steps;
  }

  step(world: Seen): void {
    this.#steps += 1;
    if (this.#steps % this.#every !== 0) return;
    this.#samples.push({ step: this.#steps, ...countIn(world) });
    if (this.#samples.length <= SAMPLES_MAX) return;
    // Half as many from now on, and of what there was.
    this.#every *= 2;
    this.#samples = this.#samples.filter(({ step }) => step % this.#every === 0);
  }

  mark(text: string, { agenda }: Seen): void {
    this.marks.push({ text, step: this.#steps, atMs: agenda.nowMs });
  }
}

function countIn({ sites }: Seen): Pick<CourseSample, 'atRisk' | 'differing'> {
  const atRisk = new Set<string>();
  const states = new Map<string, string>();
  const differing = new Set<string>();
  for (const { store } of sites) {
    for (const [key, record] of store.records) {
      if (isOwnReport(key) || isOwnCount(key)) continue;
      if (Object.keys(record.pending).length > 0) atRisk.add(key);
      const state = canonical(record.state);
      if (states.has(key) && states.get(key) !== state) differing.add(key);
      states.set(key, state);
    }
  }
  return { atRisk: atRisk.size, differing: differing.size };
}
