/** Who is answered with which site, and moving it: gated shifts, drains, failovers, runbooks. */
import type { ComponentChildren, JSX } from 'preact';
import type { TrafficView } from '../../server/traffic-view.ts';
import { ask } from '../api.ts';
import { facts } from '../live.ts';
import { useLoaded } from '../loaded.ts';
import { Badge, type Column, Moment, Shown, Table, Title } from '../parts/parts.tsx';
import { shareIn } from '../shares.ts';
import { Drift } from './traffic-drift.tsx';
import { Incidents } from './traffic-incidents.tsx';
import { Job } from './traffic-job.tsx';
import { MoveForm } from './traffic-move.tsx';
import { Runbooks } from './traffic-runbooks.tsx';

const REFRESH_MS = 1_000;

export function Traffic(): JSX.Element {
  if (facts.value === undefined) return <Title text="Traffic" note="Asking the console …" />;
  return facts.value.mode === 'local' ? <Local /> : <Deployed />;
}

function Local(): JSX.Element {
  const loaded = useLoaded('', (signal) => ask<TrafficView>('/api/traffic', { signal }), REFRESH_MS);
  return (
    <>
      <Title text="Traffic" note="Who is answered with which site by DNS. Read every second." />
      <Shown loaded={loaded}>
        {(view) => {
          const [job, ...before] = view.jobs;
          const isBusy = job !== undefined && job.endedAt === undefined;
          return (
            <>
              <Standing view={view} />
              {job !== undefined && <Job key={job.id} job={job} onChange={loaded.again} />}
              <MoveForm view={view} isBusy={isBusy} onChange={loaded.again} />
              <Drift view={view} isBusy={isBusy} onChange={loaded.again} />
              <Runbooks isBusy={isBusy} onChange={loaded.again} />
              <Incidents view={view} isBusy={isBusy} onChange={loaded.again} />
              <Before jobs={before} />
            </>
          );
        }}
      </Shown>
    </>
  );
}

interface Row {
  readonly site: string;
  readonly cells: readonly ComponentChildren[];
}

const HEADINGS = ['Site', 'Health', 'Share', 'By the policy', 'Answers since the last change', 'Address'];

function Standing({ view }: { view: TrafficView }): JSX.Element {
  const { overrides, lock } = view;
  const columns: readonly Column<Row>[] = HEADINGS.map((name, index) => ({
    name,
    cell: ({ cells }) => cells[index],
    isNumber: index >= 2 && index <= 4,
  }));
  return (
    <section aria-label="Where traffic stands">
      {view.names.map((name) => {
        const weights = Object.fromEntries(name.targets.map(({ site, weight = 0 }) => [site, weight]));
        const chosen = view.chosen[`${name.name} ${name.type}`] ?? view.chosen[name.name] ?? {};
        return (
          <div key={`${name.name} ${name.type}`}>
            <h2>
              {name.name} <small>{`${name.type}, ${name.strategy}`}</small>
            </h2>
            <Table
              caption={`How ${name.name} is answered`}
              columns={columns}
              rows={name.targets.map(({ site, values }) => ({
                site,
                cells: [
                  site,
                  <Health key="health" view={view} site={site} />,
                  shareIn(weights, site),
                  shareIn(view.policy[name.name] ?? {}, site),
                  (chosen[site] ?? 0).toLocaleString(),
                  values.join(', '),
                ],
              }))}
              keyOf={({ site }) => site}
              none="It leads nowhere."
            />
          </div>
        );
      })}
      <p>
        {Object.keys(overrides).length === 0 ? (
          <Badge kind="good" text="traffic stands as the policy says" />
        ) : (
          Object.entries(overrides).map(([site, percent]) => (
            <Badge key={site} kind="warn" text={`${site} stands at ${percent} %, beside the policy`} />
          ))
        )}{' '}
        {lock !== undefined && (
          <span>
            Locked by {lock.owner} until <Moment at={lock.expiresAtMs} />.
          </span>
        )}
      </p>
      <p class="muted">
        Ask it: <code>{`dig +short @127.0.0.1 -p ${view.port} ${view.names[0]?.name ?? view.zone}`}</code>
      </p>
    </section>
  );
}

function Health({ view, site }: { view: TrafficView; site: string }): JSX.Element {
  const check = view.checks[site];
  if (check?.passing === undefined) return <Badge kind="neutral" text="not known yet" />;
  return (
    <>
      <Badge kind={check.healthy ? 'good' : 'bad'} text={check.healthy ? 'healthy' : 'unhealthy'} />{' '}
      {check.damped && <Badge kind="warn" text="kept out: it fell too often" />}{' '}
      {check.changedAtMs !== undefined && (
        <small>
          since <Moment at={check.changedAtMs} />
        </small>
      )}{' '}
      {check.failure !== undefined && <small class="problem">{check.failure}</small>}
    </>
  );
}

function Before({ jobs }: { jobs: TrafficView['jobs'] }): JSX.Element | null {
  if (jobs.length === 0) return null;
  return (
    <section aria-label="What was done before">
      <h2>Before</h2>
      <Table
        caption="What was done before, the newest first"
        columns={[
          { name: 'What', cell: ({ what }) => what },
          { name: 'Began', cell: ({ startedAt }) => <Moment at={startedAt} /> },
          { name: 'Ended', cell: ({ endedAt }) => <Moment at={endedAt} /> },
          { name: 'How', cell: ({ result, problem, lines }) => problem ?? howOf(lines) ?? result },
        ]}
        rows={jobs}
        keyOf={({ id }) => id}
        none=""
      />
    </section>
  );
}

/** The last but the name of the file. */
function howOf(lines: readonly string[]): string | undefined {
  return lines.findLast((line) => !line.startsWith('timeline: '));
}

/** What moves it needs credentials of a DNS provider, which the console does not take. */
function Deployed(): JSX.Element {
  const commands = [
    ['where it stands', 'dns status'],
    ['what would change', 'dns plan'],
    ['move a tenth, in gated steps', 'dns shift <site> 10'],
    ['away from a site, in gated steps', 'dns drain <site>'],
    ['take a lost site out at once', 'dns failover <site>'],
    ['back to the policy', 'dns restore'],
    ['what a runbook would do', 'runbook <name> --dry-run'],
  ];
  return (
    <>
      <Title
        text="Traffic"
        note="Of deployed sites it is moved at the provider of the zone, with credentials that the console does not take."
      />
      <Table
        caption="Commands that move traffic"
        columns={[
          { name: 'For', cell: ([what]) => what },
          { name: 'Command', cell: ([, command]) => <code>{`npm run tandem -- ${command ?? ''}`}</code> },
        ]}
        rows={commands}
        keyOf={([what = '']) => what}
        none=""
      />
    </>
  );
}
