/** Both clouds and every direction at one glance: what is under way, what is safe, and what a loss right now would cost. */
import type { JSX } from 'preact';
import type { Direction } from '@tandem-clouds/operator/directions';
import type { SiteReport } from '@tandem-clouds/operator/query-sites';
import type { Look, Point } from '../../server/watch.ts';
import { bytes, count, duration } from '../format.ts';
import { facts, look, points } from '../live.ts';
import { Chart, type Line } from '../parts/chart.tsx';
import { Badge, Moment, Title } from '../parts/parts.tsx';
import { hrefOf } from '../route.ts';
import { LossSteps } from './loss.tsx';

export function Overview(): JSX.Element {
  const now = look.value;
  return (
    <>
      <Title text="Overview" note="Looked at every second while this page is open." />
      {now === undefined ? (
        <p class="muted">Asking the sites …</p>
      ) : (
        <>
          <Picture look={now} />
          <Losses look={now} />
          {now.local?.loss !== undefined && <LossSteps loss={now.local.loss} />}
          <Charts points={points.value} />
        </>
      )}
    </>
  );
}

/** Site, what crosses, site; with more than two sites, all of them and then all directions. */
function Picture({ look: { reports, directions, point } }: { look: Look }): JSX.Element {
  const site = (report: SiteReport): JSX.Element => (
    <SiteCard key={report.url} report={report} perSecond={point.sites[nameOf(report)]?.perSecond ?? null} />
  );
  const ways = (
    <div class="ways">
      {directions.map((direction) => (
        <Way
          key={`${direction.from} ${direction.to ?? ''}`}
          direction={direction}
          isForward={direction.from === (reports[0] && nameOf(reports[0]))}
        />
      ))}
    </div>
  );
  const [first, second, ...others] = reports;
  return (
    <section class={others.length === 0 ? 'picture pair' : 'picture'} aria-label="Sites and directions">
      {first !== undefined && site(first)}
      {others.length === 0 && ways}
      {second !== undefined && site(second)}
      {others.map(site)}
      {others.length > 0 && ways}
    </section>
  );
}

function nameOf({ site, url }: SiteReport): string {
  return site ?? url;
}

function SiteCard({ report, perSecond }: { report: SiteReport; perSecond: number | null }): JSX.Element {
  const { site, url, problem, replication, queues, parked } = report;
  const cloud = facts.value?.sites.find((each) => each.site === site)?.cloud;
  const dead = queues?.dead.messages ?? 0;
  const more = (depth: { messages: number; atLeast: boolean }): string =>
    `${depth.messages.toLocaleString()}${depth.atLeast ? '+' : ''}`;
  return (
    <article class={`card site ${cloud ?? ''} ${problem === undefined ? '' : 'down'}`}>
      <h2>{site ?? url}</h2>
      {problem === undefined ? <Badge kind="good" text="answers" /> : <Badge kind="bad" text={problem} />}
      <dl>
        <dt>Requests</dt>
        <dd>{perSecond === null ? '—' : `${perSecond} per second`}</dd>
        <dt>Outbound queue</dt>
        <dd>{queues === undefined ? '—' : count(queues.out.messages, 'message')}</dd>
        <dt>Inbound queue</dt>
        <dd>{queues === undefined ? '—' : count(queues.in.messages, 'message')}</dd>
        <dt>Dead letters</dt>
        <dd>
          {queues === undefined ? (
            '—'
          ) : dead === 0 ? (
            'none'
          ) : (
            <a href={hrefOf('dead-letters', [], { site })}>{more(queues.dead)}</a>
          )}
        </dd>
        {parked !== undefined && parked.keys > 0 && (
          <>
            <dt>Parked reactions</dt>
            <dd>{count(parked.keys, 'record')}</dd>
          </>
        )}
        {replication?.content !== undefined && replication.content.lacking.objects > 0 && (
          <>
            <dt>Objects not here yet</dt>
            <dd>
              {count(replication.content.lacking.objects, 'object')},{' '}
              {bytes(replication.content.lacking.bytes)}
            </dd>
          </>
        )}
      </dl>
    </article>
  );
}

function Way({ direction, isForward }: { direction: Direction; isForward: boolean }): JSX.Element {
  const {
    from,
    to = 'nobody',
    keysAtRisk,
    atLeast = false,
    behindMs,
    heardMsAgo,
    paused,
    problem,
    refusal,
  } = direction;
  const isMoving = (keysAtRisk ?? 0) > 0 && paused !== true && refusal === undefined && problem === undefined;
  const kind = problem !== undefined || refusal !== undefined ? 'bad' : paused === true ? 'warn' : 'good';
  return (
    <article class={`way ${kind}`}>
      <h3>
        {from} <span class="unseen">to</span>
        <span aria-hidden="true">→</span> {to}
      </h3>
      <svg viewBox="0 0 200 16" class={isMoving ? 'line moving' : 'line'} aria-hidden="true">
        <path class="shaft" d={isForward ? 'M2 8 H192' : 'M198 8 H8'} />
        <path d={isForward ? 'M188 3 l6 5 l-6 5' : 'M12 3 l-6 5 l6 5'} />
      </svg>
      <p>
        {keysAtRisk === undefined
          ? 'not known'
          : `${count(keysAtRisk, 'record')}${atLeast ? ' or more' : ''} at risk`}
        {behindMs !== undefined && ` · safe up to ${duration(behindMs)} ago`}
        {heardMsAgo !== undefined && heardMsAgo !== null && ` · heard ${duration(heardMsAgo)} ago`}
      </p>
      {paused === true && <Badge kind="warn" text="paused" />}
      {problem !== undefined && <p class="problem">{problem}</p>}
      {refusal !== undefined && <p class="problem">{refusal}</p>}
    </article>
  );
}

/** In words. Of a site that does not answer: what it would have to bring back. */
function Losses({ look: { directions, reports } }: { look: Look }): JSX.Element {
  return (
    <section aria-label="What a loss would cost">
      <h2>If a cloud vanished now</h2>
      <ul class="losses">
        {reports.map((report) => (
          <li key={report.url}>
            <Loss report={report} directions={directions.filter(({ from }) => from === nameOf(report))} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Loss({ report, directions }: { report: SiteReport; directions: readonly Direction[] }): JSX.Element {
  const name = nameOf(report);
  if (report.problem !== undefined)
    return (
      <>
        <strong>{name}</strong> does not answer: what it had not handed over comes back with it. The other
        sites go on.
      </>
    );
  const parts = directions.map(({ to, keysAtRisk = 0, atLeast, safeTime, content }) => (
    <span key={to}>
      {keysAtRisk === 0 && (content?.objects ?? 0) === 0 ? (
        <>nothing would be missing at {to}</>
      ) : (
        <>
          {keysAtRisk > 0 && (
            <>
              {count(keysAtRisk, 'record')}
              {atLeast === true ? ' or more' : ''} would be missing at {to} until it comes back; everything
              acknowledged before <Moment at={safeTime} /> is there
            </>
          )}
          {content !== undefined && content.objects > 0 && (
            <>
              {keysAtRisk > 0 && '; '}
              {count(content.objects, 'object')} of {bytes(content.bytes)} would not be readable at {to}
            </>
          )}
        </>
      )}
      .{' '}
    </span>
  ));
  return (
    <>
      <strong>{name}</strong>: {parts}
    </>
  );
}

function Charts({ points: all }: { points: readonly Point[] }): JSX.Element {
  const times = all.map(({ atMs }) => atMs);
  const ways = [...new Set(all.flatMap(({ directions }) => Object.keys(directions)))];
  const sites = [...new Set(all.flatMap(({ sites: each }) => Object.keys(each)))];
  const ofWays = (pick: (point: Point, way: string) => number | null | undefined): Line[] =>
    ways.map((name) => ({ name, values: all.map((point) => pick(point, name) ?? null) }));
  return (
    <section aria-label="The last minutes" class="charts">
      <Chart
        title="Records at risk"
        unit=""
        times={times}
        lines={ofWays((point, way) => point.directions[way]?.keysAtRisk)}
      />
      <Chart
        title="Safe time behind"
        unit="s"
        times={times}
        lines={ofWays((point, way) => seconds(point.directions[way]?.behindMs))}
      />
      <Chart
        title="Heard of each other"
        unit="s ago"
        times={times}
        lines={ofWays((point, way) => seconds(point.directions[way]?.heardMsAgo))}
      />
      <Chart
        title="Requests per second"
        unit=""
        times={times}
        lines={sites.map((name) => ({
          name,
          values: all.map(({ sites: each }) => each[name]?.perSecond ?? null),
        }))}
      />
    </section>
  );
}

function seconds(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : Math.round(ms / 100) / 10;
}
