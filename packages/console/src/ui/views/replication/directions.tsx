/** Every direction, with a button that stops what is sent on it and one that starts it again. */
import type { JSX } from 'preact';
import { type Direction } from '@tandem-clouds/operator/directions';
import type { PauseView } from '@tandem-clouds/operator/operator-api';
import { pauseText } from '@tandem-clouds/operator/pause-text';
import { ofSite } from '../../api.ts';
import { bytes, count, duration } from '../../format.ts';
import { look } from '../../live.ts';
import { useLoaded } from '../../loaded.ts';
import { confirmed } from '../../parts/confirm.tsx';
import { Badge, Moment } from '../../parts/parts.tsx';
import { doing } from '../../parts/say.tsx';

const PAUSES_EVERY_MS = 5_000;

export function Directions(): JSX.Element {
  const now = look.value;
  return (
    <section aria-labelledby="directions">
      <h2 id="directions">Directions</h2>
      {now === undefined ? (
        <p class="muted">Asking the sites …</p>
      ) : (
        <div class="beside">
          {now.directions.map((direction) => (
            <DirectionCard key={`${direction.from} ${direction.to ?? ''}`} direction={direction} />
          ))}
        </div>
      )}
    </section>
  );
}

function DirectionCard({ direction }: { direction: Direction }): JSX.Element {
  const { from, to = 'its peers', problem, paused, refusal } = direction;
  const isKnown = problem === undefined;
  return (
    <article class={`card ${isKnown ? '' : 'down'}`} aria-label={`${from} to ${to}`}>
      <h3>
        {from} <span class="unseen">to</span>
        <span aria-hidden="true">→</span> {to}
      </h3>
      {!isKnown ? (
        <Badge kind="bad" text="does not answer" />
      ) : paused === true ? (
        <Badge kind="warn" text="paused" />
      ) : refusal !== undefined ? (
        <Badge kind="bad" text="refused" />
      ) : (
        <Badge kind="good" text="open" />
      )}
      {problem !== undefined && <p class="problem">{problem}</p>}
      {refusal !== undefined && (
        <p class="problem">
          {to} did not take what was sent last: {refusal}
        </p>
      )}
      <Facts direction={direction} />
      {isKnown && direction.to !== undefined && (
        <PauseButton from={from} to={direction.to} isPaused={paused === true} keys={direction.keysAtRisk} />
      )}
    </article>
  );
}

function Facts({ direction }: { direction: Direction }): JSX.Element {
  const { keysAtRisk, atLeast = false, refusedKeys = 0, safeTime, behindMs, oldestPendingMs } = direction;
  const { heardMsAgo, sendingPerSecond, sentBy, content } = direction;
  return (
    <dl>
      <dt>At risk</dt>
      <dd>
        {keysAtRisk === undefined ? 'not known' : `${count(keysAtRisk, 'key')}${atLeast ? ' or more' : ''}`}
        {refusedKeys > 0 && `, ${refusedKeys.toLocaleString()} of them refused for good`}
        {(keysAtRisk ?? 0) > 0 &&
          oldestPendingMs !== undefined &&
          `, the oldest for ${duration(oldestPendingMs)}`}
      </dd>
      <dt>Safe up to</dt>
      <dd>
        <Moment at={safeTime} />
        {behindMs !== undefined && `, ${duration(behindMs)} ago`}
      </dd>
      <dt>Heard</dt>
      <dd>
        {heardMsAgo === undefined
          ? 'not known'
          : heardMsAgo === null
            ? 'never'
            : `${duration(heardMsAgo)} ago`}
      </dd>
      {sendingPerSecond !== undefined && (
        <>
          <dt>Catching up</dt>
          <dd>
            {count(sendingPerSecond, 'record')} a second
            {sentBy !== undefined && (
              <>
                , done about <Moment at={sentBy} />
              </>
            )}
          </dd>
        </>
      )}
      {content !== undefined && (
        <>
          <dt>Contents on the way</dt>
          <dd>
            {content.objects === 0
              ? 'none'
              : `${content.atLeast ? 'at least ' : ''}${count(content.objects, 'object')}, ${bytes(content.bytes)}`}
            {content.overdue > 0 && `, ${content.overdue.toLocaleString()} of them overdue`}
          </dd>
        </>
      )}
    </dl>
  );
}

interface PauseButtonProps {
  readonly from: string;
  readonly to: string;
  readonly isPaused: boolean;
  readonly keys: number | undefined;
}

function PauseButton({ from, to, isPaused, keys = 0 }: PauseButtonProps): JSX.Element {
  const path = `replication/pauses/${encodeURIComponent(to)}`;
  const act = async (): Promise<void> => {
    const why = await confirmed(isPaused ? resumeQuestion(from, to, keys) : pauseQuestion(from, to));
    if (why === undefined) return;
    const method = isPaused ? 'DELETE' : 'PUT';
    await doing(
      () => ofSite<PauseView>(from, path, { method, why }),
      (view) => pauseText(from, view),
    );
  };
  return (
    <>
      {isPaused && <Since from={from} to={to} />}
      <div class="buttons">
        <button type="button" onClick={() => void act()}>
          {isPaused ? 'Resume' : 'Pause'} <span class="unseen">{`${from} to ${to}`}</span>
        </button>
      </div>
    </>
  );
}

function pauseQuestion(from: string, to: string): Parameters<typeof confirmed>[0] {
  return {
    title: `Pause ${from} → ${to}?`,
    will: [
      `${from} sends nothing to ${to} until it is resumed.`,
      'Both sites go on to take writes.',
      `What ${to} lacks is kept at ${from}, and counted as at risk: were ${from} lost meanwhile, it would be missing.`,
    ],
    act: 'Pause',
    isDangerous: true,
  };
}

function resumeQuestion(from: string, to: string, keys: number): Parameters<typeof confirmed>[0] {
  return {
    title: `Resume ${from} → ${to}?`,
    will: [
      `${from} sends to ${to} again.`,
      keys === 0 ? 'Nothing has gathered.' : `What has gathered is sent now: ${count(keys, 'key')} at least.`,
    ],
    act: 'Resume',
  };
}

/** The look does not say since when. */
function Since({ from, to }: { from: string; to: string }): JSX.Element | null {
  const { value } = useLoaded(
    from,
    (signal) => ofSite<{ pauses: readonly PauseView[] }>(from, 'replication/pauses', { signal }),
    PAUSES_EVERY_MS,
  );
  const since = value?.pauses.find(({ peer }) => peer === to)?.since;
  return since === undefined ? null : (
    <p>
      Paused since <Moment at={since} />.
    </p>
  );
}
