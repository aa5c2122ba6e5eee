/** The clock of a loss, step by step: what has happened with its time, and what is still to come. */
import type { JSX } from 'preact';
import type { Loss } from '../../server/loss-clock.ts';
import { count, duration } from '../format.ts';
import { Moment } from '../parts/parts.tsx';

interface Step {
  readonly text: string;
  /** Since the loss; undefined: not yet. */
  readonly ms: number | undefined;
}

export function LossSteps({ loss }: { loss: Loss }): JSX.Element {
  return (
    <section class="card loss" aria-label="The clock of the latest loss">
      <h2>
        {loss.site} was lost at <Moment at={loss.since} />
      </h2>
      <ol>
        {stepsOf(loss).map(({ text, ms }) => (
          <li key={text} class={ms === undefined ? 'muted' : 'good'}>
            <span class="number">{ms === undefined ? '…' : duration(ms)}</span> {text}
          </li>
        ))}
      </ol>
      <p>
        {count(loss.asked, 'request')} to the edge since then, {loss.failed === 0 ? 'none' : loss.failed}{' '}
        failed.{' '}
        {loss.atRisk === null
          ? 'What had not crossed is not known: nobody looked before.'
          : loss.atRisk === 0
            ? 'All that it had acknowledged had crossed.'
            : `${count(loss.atRisk, 'record')} had not crossed; they come back with it.`}
      </p>
    </section>
  );
}

function stepsOf({
  site,
  kind,
  detectedMs,
  firstGoodMs,
  firstGoodFrom,
  liftedMs,
  backMs,
  crossedMs,
}: Loss): readonly Step[] {
  return [
    { text: kind === 'freeze' ? 'frozen' : 'stopped', ms: 0 },
    { text: 'detected: the edge sends it no more requests', ms: detectedMs },
    {
      text: `first good answer${firstGoodFrom === undefined ? '' : `, from ${firstGoodFrom}`}`,
      ms: firstGoodMs,
    },
    { text: 'undone', ms: liftedMs },
    { text: `${site} answers again`, ms: backMs },
    { text: 'all that it had held back has crossed', ms: crossedMs },
  ];
}
