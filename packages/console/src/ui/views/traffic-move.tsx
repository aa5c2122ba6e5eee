/** Moving traffic: what is wanted, what that would do, and only then doing it. */
import type { JSX, TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import type { MoveOrder, PreviewView, TrafficJob, TrafficView } from '../../server/traffic-view.ts';
import { ask, query } from '../api.ts';
import { count } from '../format.ts';
import { confirmed } from '../parts/confirm.tsx';
import { doing } from '../parts/say.tsx';
import { orderPath, stepText } from '../shares.ts';
import { Diff } from './traffic-diff.tsx';

const KINDS = [
  ['drain', 'Drain: all traffic away from a site, in gated steps'],
  ['shift', 'Shift: a site to a share, in gated steps'],
  ['restore', 'Restore: back to the policy'],
  ['failover', 'Failover: take a lost site out at once'],
] as const;

interface Wanted {
  readonly kind: MoveOrder['kind'];
  readonly site: string;
  readonly percent: string;
  readonly stepPercent: string;
  readonly holdSeconds: string;
  readonly now: boolean;
  readonly force: boolean;
}

export interface ActingProps {
  readonly isBusy: boolean;
  readonly onChange: () => void;
}

export function MoveForm({ view, isBusy, onChange }: ActingProps & { view: TrafficView }): JSX.Element {
  const sites = [...new Set(view.names.flatMap(({ targets }) => targets.map(({ site }) => site)))];
  const [wanted, setWanted] = useState<Wanted>({
    kind: 'drain',
    site: sites[0] ?? '',
    percent: '10',
    stepPercent: String(view.shift.stepPercent),
    holdSeconds: String(view.shift.holdSeconds),
    now: false,
    force: false,
  });
  const [shown, setShown] = useState<{ order: MoveOrder; preview: PreviewView }>();
  const set = (more: Partial<Wanted>): void => {
    setWanted((old) => ({ ...old, ...more }));
    setShown(undefined);
  };
  const look = async (event: TargetedEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const order = orderOf(wanted);
    const preview = await doing(
      () => ask<PreviewView>(`/api/traffic/preview${query(textsOf(order))}`),
      ({ refusal }) => (refusal === undefined ? 'Nothing is changed by this.' : 'It would be refused.'),
    );
    setShown(preview && { order, preview });
  };
  const { kind } = wanted;
  const isGated = kind !== 'failover' && !(kind === 'restore' && wanted.now);
  return (
    <section aria-label="Move traffic">
      <h2>Move traffic</h2>
      <form class="filters" onSubmit={(event) => void look(event)}>
        <label class="filter">
          What
          <select
            name="kind"
            value={kind}
            onChange={({ currentTarget }) => set({ kind: currentTarget.value as MoveOrder['kind'] })}
          >
            {KINDS.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
        {kind !== 'restore' && (
          <label class="filter">
            Site
            <select
              name="move-site"
              value={wanted.site}
              onChange={({ currentTarget }) => set({ site: currentTarget.value })}
            >
              {sites.map((site) => (
                <option key={site} value={site}>
                  {site}
                </option>
              ))}
            </select>
          </label>
        )}
        {kind === 'shift' && (
          <Whole name="percent" label="Its share, in %" min={0} max={100} wanted={wanted} set={set} />
        )}
        {isGated && (
          <>
            <Whole name="stepPercent" label="Each step, in %" min={1} max={100} wanted={wanted} set={set} />
            <Whole
              name="holdSeconds"
              label="Each held, in s"
              min={1}
              max={86_400}
              wanted={wanted}
              set={set}
            />
          </>
        )}
        {kind === 'restore' && <Tick name="now" label="At once, without gates" wanted={wanted} set={set} />}
        {kind === 'failover' && (
          <Tick name="force" label="Although the zone differs from the policy" wanted={wanted} set={set} />
        )}
        <button type="submit">Show what it would do</button>
      </form>
      {shown !== undefined && (
        <Preview {...shown} isBusy={isBusy} onChange={onChange} onDone={() => setShown(undefined)} />
      )}
    </section>
  );
}

function Preview({
  order,
  preview,
  isBusy,
  onChange,
  onDone,
}: ActingProps & { order: MoveOrder; preview: PreviewView; onDone: () => void }): JSX.Element {
  const { steps, text, refusal, isGated } = preview;
  const start = async (): Promise<void> => {
    const why = await confirmed(questionOf(order, preview));
    if (why === undefined) return;
    const job = await doing(
      () => ask<TrafficJob>(orderPath(order), { method: 'POST', body: order, why }),
      ({ what }) => `Begun: ${what}.`,
    );
    if (job !== undefined) onDone();
    onChange();
  };
  if (steps.length === 0) return <p>Nothing: traffic stands so already.</p>;
  return (
    <div class="card">
      <p>
        {count(steps.length, 'step')}
        {isGated
          ? ', each taken only while errors, latency and replication are within the gates'
          : ', without gates'}
        :
      </p>
      <ol>
        {steps.slice(0, 100).map((step, index) => (
          <li key={index}>{stepText(step)}</li>
        ))}
      </ol>
      <Diff text={text} label="What all steps together change" />
      {refusal !== undefined && (
        <p class="problem" role="alert">
          It would be refused: {refusal}
        </p>
      )}
      <button
        type="button"
        class="danger"
        disabled={isBusy || refusal !== undefined}
        onClick={() => void start()}
      >
        Start it …
      </button>
      {isBusy && <p class="muted">One at a time: something is being done.</p>}
    </div>
  );
}

function questionOf(
  { kind, site = '', percent = 0, holdSeconds }: MoveOrder,
  { steps, isGated }: PreviewView,
): Parameters<typeof confirmed>[0] {
  const end: Readonly<Record<MoveOrder['kind'], string>> = {
    drain: `At the end DNS answers nobody with ${site}.`,
    shift: `At the end ${site} has ${percent} % of the traffic.`,
    restore: 'At the end traffic stands as the policy says.',
    failover: `From the next answer on, DNS answers nobody with ${site}.`,
  };
  const hold = holdSeconds === undefined ? '' : `, each held for ${holdSeconds} s`;
  return {
    title:
      { drain: 'Drain', shift: 'Shift', restore: 'Restore', failover: 'Failover' }[kind] +
      ` ${site}`.trimEnd(),
    will: [
      end[kind],
      isGated
        ? `It takes ${count(steps.length, 'step')}${hold}. When a gate is crossed, traffic goes back to where it stands now.`
        : 'It happens at once, without gates.',
      'Clients learn it when the answers that they keep run out.',
    ],
    act: { drain: 'Drain it', shift: 'Shift it', restore: 'Restore it', failover: 'Take it out' }[kind],
    isDangerous: kind !== 'restore',
  };
}

function Whole({
  name,
  label,
  min,
  max,
  wanted,
  set,
}: {
  name: 'percent' | 'stepPercent' | 'holdSeconds';
  label: string;
  min: number;
  max: number;
  wanted: Wanted;
  set: (more: Partial<Wanted>) => void;
}): JSX.Element {
  return (
    <label class="filter">
      {label}
      <input
        type="number"
        name={name}
        required
        min={min}
        max={max}
        step={1}
        value={wanted[name]}
        onInput={({ currentTarget }) => set({ [name]: currentTarget.value })}
      />
    </label>
  );
}

function Tick({
  name,
  label,
  wanted,
  set,
}: {
  name: 'now' | 'force';
  label: string;
  wanted: Wanted;
  set: (more: Partial<Wanted>) => void;
}): JSX.Element {
  return (
    <label class="check">
      <input
        type="checkbox"
        name={name}
        checked={wanted[name]}
        onChange={({ currentTarget }) => set({ [name]: currentTarget.checked })}
      />{' '}
      {label}
    </label>
  );
}

function orderOf({ kind, site, percent, stepPercent, holdSeconds, now, force }: Wanted): MoveOrder {
  const gated = { stepPercent: Number(stepPercent), holdSeconds: Number(holdSeconds) };
  switch (kind) {
    case 'drain':
      return { kind, site, ...gated };
    case 'shift':
      return { kind, site, percent: Number(percent), ...gated };
    case 'restore':
      return now ? { kind, now } : { kind, ...gated };
    case 'failover':
      return { kind, site, force };
  }
}

function textsOf(order: MoveOrder): Readonly<Record<string, string | number | undefined>> {
  const { now, force, ...rest } = order;
  return { ...rest, now: now === true ? 'true' : undefined, force: force === true ? 'true' : undefined };
}
