/** Makes the losers win, of all conflicts that are shown: one after another. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ConflictView } from '@tandem-clouds/operator/operator-api';
import { ofSite } from '../../api.ts';
import { count } from '../../format.ts';
import { confirmed } from '../../parts/confirm.tsx';
import { begin, isUnderWay, type Report, runs, type Step } from '../../parts/run.tsx';
import type { ConflictRow } from './rows.ts';

export const NOTE_MAX = 1_000;

export const overriding = runs();

interface Wanted {
  readonly site: string;
  readonly note: string;
  readonly why: string;
}

/** @param again Called when it is over: what is shown has changed. */
export function Bulk({
  site,
  rows,
  again,
}: {
  site: string;
  rows: readonly ConflictRow[];
  again: () => void;
}): JSX.Element | null {
  const [note, setNote] = useState('');
  const open = rows.filter(({ isOverridden }) => !isOverridden);
  if (open.length === 0) return null;
  const ask = async (): Promise<void> => {
    const why = await confirmed({
      title: `Override ${count(open.length, 'conflict')}?`,
      will: willOf(open, rows.length - open.length),
      act: `Override ${open.length.toLocaleString()}`,
      isDangerous: true,
      needsWhy: true,
    });
    if (why === undefined) return;
    const wanted = { site, note: note.trim(), why };
    const title = `Overriding ${count(open.length, 'conflict')}`;
    await begin(overriding, { title, total: open.length }, (report, signal) =>
      overrideEach(open, wanted, report, signal),
    );
    again();
  };
  return (
    <div class="filters">
      <label class="filter">
        Note on each entry (may be empty)
        <input
          value={note}
          maxLength={NOTE_MAX}
          autoComplete="off"
          onInput={({ currentTarget }) => setNote(currentTarget.value)}
        />
      </label>
      <button type="button" class="danger" disabled={isUnderWay(overriding)} onClick={() => void ask()}>
        Let the losers win: {count(open.length, 'conflict')} shown …
      </button>
    </div>
  );
}

function willOf(open: readonly ConflictRow[], decided: number): readonly string[] {
  const tombstones = open.filter(({ field }) => field === '$deleted').length;
  return [
    'For each the value that lost is written to its record, as a newer write of the field: it crosses to every site, and replaces what was written since.',
    'They are done one after another, and it can be stopped; what was done by then stays.',
    ...(tombstones > 0
      ? [
          `${count(tombstones, 'conflict')} of them ${tombstones === 1 ? 'is' : 'are'} about whether a record is deleted.`,
        ]
      : []),
    ...(decided > 0
      ? [`${count(decided, 'conflict')} that somebody has overridden already are left out.`]
      : []),
  ];
}

/** Until all are done, or it is stopped: one that is refused does not keep the next from being done. */
async function overrideEach(
  rows: readonly ConflictRow[],
  { site, note, why }: Wanted,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  let steps: readonly Step[] = [];
  let done = 0;
  for (const { id, record, field, loser } of rows) {
    if (signal.aborted) return;
    const name = `${record} ${field}`;
    try {
      await ofSite<ConflictView>(site, `replication/conflicts/${encodeURIComponent(id)}/override`, {
        method: 'POST',
        body: note === '' ? {} : { note },
        why,
      });
      steps = [...steps, { name, isDone: true, detail: loser.text }];
    } catch (error) {
      steps = [
        ...steps,
        { name, isDone: false, detail: error instanceof Error ? error.message : String(error) },
      ];
    }
    done += 1;
    report(done, steps);
  }
}
