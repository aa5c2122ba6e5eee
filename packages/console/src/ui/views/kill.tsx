/** Faults of the stack on this machine: what is on, buttons for more, and beside them the clock of the latest loss. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { FaultOrder, ImposedFault } from '@tandem-clouds/local/faults/fault-order';
import { ask } from '../api.ts';
import { count } from '../format.ts';
import { facts, look } from '../live.ts';
import { confirmed } from '../parts/confirm.tsx';
import { Badge, Moment, Title } from '../parts/parts.tsx';
import { doing } from '../parts/say.tsx';
import { LossSteps } from './loss.tsx';

export function Kill(): JSX.Element {
  const names = facts.value?.sites.map(({ site }) => site) ?? [];
  const faults = look.value?.local?.faults ?? [];
  const loss = look.value?.local?.loss;
  return (
    <>
      <Title text="Kill it" note="Only at this stack; each is undone by one click.">
        <button type="button" disabled={faults.length === 0} onClick={() => void liftAll(faults)}>
          Undo all
        </button>
      </Title>
      <Faults faults={faults} />
      <div class="beside">
        {names.map((site) => (
          <SiteFaults key={site} site={site} others={names.filter((name) => name !== site)} faults={faults} />
        ))}
      </div>
      {loss !== undefined && <LossSteps loss={loss} />}
    </>
  );
}

function Faults({ faults }: { faults: readonly ImposedFault[] }): JSX.Element {
  if (faults.length === 0) return <p class="muted">No fault is on.</p>;
  return (
    <ul class="faults" aria-label="Faults that are on">
      {faults.map((fault) => (
        <li key={fault.id} class="card">
          <p>
            <Badge kind="bad" text={fault.kind} /> {fault.sentence} Since <Moment at={fault.since} />
            {fault.until !== undefined && (
              <>
                , until <Moment at={fault.until} />
              </>
            )}
            .
          </p>
          <button type="button" class="primary" onClick={() => void lift(fault)}>
            Undo <span class="unseen">{fault.id}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

interface Offer {
  readonly label: string;
  readonly order: FaultOrder;
  readonly will: readonly string[];
}

function SiteFaults({
  site,
  others,
  faults,
}: {
  site: string;
  others: readonly string[];
  faults: readonly ImposedFault[];
}): JSX.Element {
  const [ms, setMs] = useState(500);
  const offers: readonly Offer[] = [
    {
      label: 'Stop',
      order: { kind: 'stop', site },
      will: [
        `Functions, bridge, database and queues of ${site} are killed, and not started again.`,
        'What it had not handed over comes back with it, unless the stack was started with --ephemeral.',
      ],
    },
    {
      label: 'Freeze',
      order: { kind: 'freeze', site },
      will: [`The processes of ${site} stand still: they answer nothing, and connections hang.`],
    },
    {
      label: `Slow by ${ms} ms`,
      order: { kind: 'slow', site, ms },
      will: [`Every call to the store and to the queues of ${site} takes ${ms} ms longer.`],
    },
    {
      label: 'Fill up',
      order: { kind: 'throttle', site },
      will: [`The store and the queues of ${site} refuse every call, as when too much is asked of them.`],
    },
    {
      label: 'Errors',
      order: { kind: 'errors', site },
      will: [`The store and the queues of ${site} answer every call with an error.`],
    },
    ...others.map((peer): Offer => ({
      label: `Cut off from ${peer}`,
      order: { kind: 'partition', site, peer, both: true },
      will: [`${site} and ${peer} cannot reach each other’s queues and objects; customers reach both.`],
    })),
  ];
  return (
    <section class="card" aria-label={site}>
      <h2>{site}</h2>
      <label class="filter">
        Slow by, in ms
        <input
          type="number"
          min={1}
          max={30_000}
          value={ms}
          onInput={({ currentTarget }) =>
            setMs(Math.max(1, Math.min(30_000, Math.round(currentTarget.valueAsNumber || 1))))
          }
        />
      </label>
      <div class="buttons">
        {offers.map((offer) => (
          <button
            key={offer.order.kind + offer.label}
            type="button"
            class="danger"
            disabled={faults.some((fault) => isSame(fault, offer.order))}
            onClick={() => void impose(offer)}
          >
            {offer.label} <span class="unseen">{site}</span>
          </button>
        ))}
      </div>
    </section>
  );
}

function isSame(fault: ImposedFault, order: FaultOrder): boolean {
  if (fault.kind !== order.kind) return false;
  if (order.kind !== 'partition') return fault.site === order.site;
  return [fault.site, fault.peer].toSorted().join() === [order.site, order.peer].toSorted().join();
}

async function impose({ label, order, will }: Offer): Promise<void> {
  const title = `${label}: ${order.site}`;
  const why = await confirmed({
    title,
    will: [...will, 'It stays so until it is undone here, or with tandem fault lift.'],
    act: label,
    isDangerous: true,
  });
  if (why === undefined) return;
  await doing(
    () => ask<ImposedFault>('/api/faults', { method: 'POST', body: order, why }),
    ({ sentence }) => sentence,
  );
}

/** One click: what it does is what was before. */
async function lift({ id, kind, site }: ImposedFault): Promise<void> {
  await doing(
    () => ask(`/api/faults/${encodeURIComponent(id)}`, { method: 'DELETE', why: 'undone' }),
    () => (kind === 'stop' ? `${site} is started again; that takes some seconds.` : `${id} is undone.`),
  );
}

async function liftAll(faults: readonly ImposedFault[]): Promise<void> {
  await doing(
    () => ask('/api/faults', { method: 'DELETE', why: 'undone' }),
    () => `${count(faults.length, 'fault')} undone.`,
  );
}
