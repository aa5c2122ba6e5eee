/** What is being done with traffic: where it is, what its gates see, and stopping it. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { p99, type Sample } from '../../../../../dns/shift/gates.ts';
import type { TrafficDetail, TrafficJob } from '../../server/traffic-view.ts';
import { ask } from '../api.ts';
import { duration } from '../format.ts';
import { confirmed } from '../parts/confirm.tsx';
import { Badge, Moment, Table } from '../parts/parts.tsx';
import { doing } from '../parts/say.tsx';
import { shareIn } from '../shares.ts';

export function Job({ job, onChange }: { job: TrafficJob; onChange: () => void }): JSX.Element {
  const { id, what, startedAt, endedAt, isStopped, result, problem, lines, detail } = job;
  const isMove = detail !== undefined;
  const own = useRef<HTMLElement>(null);
  // It begins above the button that began it.
  useEffect(() => {
    if (endedAt === undefined) own.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  const stop = async (): Promise<void> => {
    const why = await confirmed({
      title: `Stop: ${what}`,
      will: isMove
        ? ['No further step is made.', 'Traffic goes back, at once, to where it stood before this began.']
        : ['What is under way is ended where it can be; what is done stays done.'],
      act: isMove ? 'Stop and go back' : 'Stop',
      isDangerous: true,
    });
    if (why === undefined) return;
    await doing(
      () => ask(`/api/traffic/jobs/${id}`, { method: 'DELETE', why }),
      () => 'It is asked to stop.',
    );
    onChange();
  };
  return (
    <section
      ref={own}
      class="card job"
      aria-label={endedAt === undefined ? 'What is being done' : 'What was done last'}
    >
      <h2>{what}</h2>
      <p role="status">
        {endedAt !== undefined ? (
          <Badge kind={result === 'done' ? 'good' : 'bad'} text={result ?? ''} />
        ) : (
          <Badge kind="warn" text={isStopped ? 'stopping …' : 'running'} />
        )}{' '}
        began <Moment at={startedAt} />
        {endedAt !== undefined && (
          <>
            , ended <Moment at={endedAt} />
          </>
        )}
      </p>
      {problem !== undefined && <p class="problem">{problem}</p>}
      {detail !== undefined && <Progress detail={detail} />}
      {endedAt === undefined && (
        <button type="button" class="danger" disabled={isStopped} onClick={() => void stop()}>
          {isMove ? 'Stop and go back' : 'Stop'}
        </button>
      )}
      <details open={endedAt === undefined}>
        <summary>What it said</summary>
        <pre class="json" tabIndex={0}>
          {lines.join('\n') || 'nothing yet'}
        </pre>
      </details>
    </section>
  );
}

function Progress({ detail: { steps, shift, moment } }: { detail: TrafficDetail }): JSX.Element {
  const step = moment?.step ?? 0;
  const { holdSeconds, gates } = shift;
  return (
    <>
      <p>
        <progress max={Math.max(1, steps)} value={step} aria-label="Steps taken" />{' '}
        {moment !== undefined && step === 0 ? 'back where it was' : `step ${step} of ${steps}`}, each held for{' '}
        {duration(holdSeconds * 1_000)}
        {Object.entries(moment?.shares ?? {}).map(([name, shares]) => (
          <span key={name}>
            {' '}
            · {name}:{' '}
            {Object.keys(shares)
              .map((site) => `${site} ${shareIn(shares, site)}`)
              .join(', ')}
          </span>
        ))}
      </p>
      {moment !== undefined && moment.samples.length > 0 && (
        <Table
          caption={`What the gates see at step ${step}`}
          columns={[
            { name: 'Site', cell: ({ site }: Sample) => site },
            {
              name: `Failed requests (at most ${gates.errorPercentMax} %)`,
              cell: ({ errors, latenciesMs }) =>
                latenciesMs.length === 0 ? 'no traffic' : `${errors} of ${latenciesMs.length}`,
            },
            {
              name: `p99 (at most ${duration(gates.p99MsMax)})`,
              cell: ({ latenciesMs }) => (latenciesMs.length === 0 ? '—' : duration(p99(latenciesMs))),
            },
            {
              name: `Lag (at most ${duration(gates.replicationLagMsMax)})`,
              cell: (sample) => worst(sample, ({ lagMs }) => lagMs, duration),
            },
            {
              name: `Safe time behind (at most ${duration(gates.safeTimeBehindMsMax)})`,
              cell: (sample) => worst(sample, ({ safeTimeBehindMs }) => safeTimeBehindMs, duration),
            },
            {
              name: `Keys at risk (at most ${gates.exposedKeysMax.toLocaleString()})`,
              cell: (sample) => worst(sample, ({ exposedKeys }) => exposedKeys, String),
            },
          ]}
          rows={moment.samples}
          keyOf={({ site }) => site}
          none=""
        />
      )}
    </>
  );
}

function worst(
  { peers }: Sample,
  of: (peer: Exclude<Sample['peers'], string>[number]) => number,
  text: (value: number) => string,
): string {
  if (typeof peers === 'string') return peers;
  return peers.length === 0 ? '—' : text(Math.max(...peers.map(of)));
}
