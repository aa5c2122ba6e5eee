/** Incidents: what the zone says of them, where every monitor reads it, and what was written down here. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Incident } from '../../../../../dns/incidents.ts';
import type { TrafficJob, TrafficView } from '../../server/traffic-view.ts';
import { ask } from '../api.ts';
import { useLoaded } from '../loaded.ts';
import { confirmed } from '../parts/confirm.tsx';
import { Badge, Moment, Shown, Table } from '../parts/parts.tsx';
import { doing } from '../parts/say.tsx';
import { orderPath } from '../shares.ts';
import type { ActingProps } from './traffic-move.tsx';

export function Incidents({ view, ...acting }: ActingProps & { view: TrafficView }): JSX.Element {
  const [chosen, setChosen] = useState<string>();
  return (
    <section aria-label="Incidents">
      <h2>Incidents</h2>
      <Table
        caption="Incidents that the zone names"
        columns={[
          {
            name: 'Runbook',
            cell: ({ runbook, phase }) => (
              <>
                {runbook}{' '}
                <Badge kind={phase === 'open' ? 'bad' : phase === 'over' ? 'warn' : 'neutral'} text={phase} />
              </>
            ),
          },
          { name: 'Site', cell: ({ site }) => site },
          { name: 'Opened', cell: ({ openedAtMs }) => <Moment at={openedAtMs} /> },
          { name: 'Last change', cell: ({ changedAtMs }) => <Moment at={changedAtMs} /> },
          { name: 'Came back', isNumber: true, cell: ({ flaps }) => flaps },
          { name: 'Acknowledged', cell: (incident) => <Acknowledged incident={incident} {...acting} /> },
        ]}
        rows={view.incidents}
        keyOf={({ runbook, site }) => `${runbook} ${site}`}
        none="None: no runbook has been carried out."
      />
      {view.incidentFiles.length > 0 && (
        <ul>
          {view.incidentFiles.map((file) => (
            <li key={file}>
              <button
                type="button"
                class="quiet pick"
                aria-expanded={chosen === file}
                onClick={() => setChosen(chosen === file ? undefined : file)}
              >
                {file}
              </button>
              {chosen === file && <Written file={file} />}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** By whom and why; or the button, as long as that keeps it from being escalated. */
function Acknowledged({
  incident,
  isBusy,
  onChange,
}: ActingProps & { incident: Incident }): JSX.Element | null {
  const { runbook, site, phase, acknowledged } = incident;
  if (acknowledged !== undefined) {
    return (
      <>
        {acknowledged.by}, <Moment at={acknowledged.atMs} />: {acknowledged.why}
      </>
    );
  }
  if (phase !== 'open') return null;
  const acknowledge = async (): Promise<void> => {
    const why = await confirmed({
      title: `Acknowledge ${runbook} of ${site}`,
      will: ['You take it on: no monitor escalates it any further.', 'The zone says so, with your reason.'],
      act: 'Acknowledge',
      needsWhy: true,
    });
    if (why === undefined) return;
    const order = { kind: 'acknowledge', runbook, site, why } as const;
    await doing(
      () => ask<TrafficJob>(orderPath(order), { method: 'POST', body: { site, why }, why }),
      ({ what }) => `Begun: ${what}.`,
    );
    onChange();
  };
  return (
    <button type="button" disabled={isBusy} onClick={() => void acknowledge()}>
      Acknowledge …
    </button>
  );
}

function Written({ file }: { file: string }): JSX.Element {
  const loaded = useLoaded(file, (signal) =>
    ask<{ text: string }>(`/api/traffic/incidents/${encodeURIComponent(file)}`, { signal }),
  );
  return (
    <Shown loaded={loaded}>
      {({ text }) => (
        <pre class="json" tabIndex={0}>
          {text}
        </pre>
      )}
    </Shown>
  );
}
