/** The states of a field, with the steps that are allowed and where a record is now. */
import type { JSX } from 'preact';
import { BOX, stateGraph, type StateSteps } from '../state-graph.ts';

export function StatePicture({
  field,
  states,
  now,
}: {
  field: string;
  states: StateSteps;
  now: string | undefined;
}): JSX.Element {
  const { width, height, boxes, lines } = stateGraph(states);
  const next = states.allowed[now ?? ''] ?? [];
  const words =
    now === undefined
      ? `${field} is not known`
      : `${field} is ${now}; ${next.length === 0 ? 'that is an end' : `next may be ${next.join(' or ')}`}`;
  return (
    <figure class="states">
      <div class="wide" tabIndex={0} role="region" aria-label={`States of ${field}`}>
        <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={words}>
          <defs>
            <marker
              id={`arrow-${field}`}
              viewBox="0 0 8 8"
              refX="6"
              refY="4"
              markerWidth="7"
              markerHeight="7"
              markerUnits="userSpaceOnUse"
              orient="auto"
            >
              <path d="M0 0 L8 4 L0 8 z" class="arrow" />
            </marker>
          </defs>
          {lines.map(({ from, to, path }) => (
            <path
              key={`${from} ${to}`}
              d={path}
              class={from === now ? 'step next' : 'step'}
              marker-end={`url(#arrow-${field})`}
            />
          ))}
          {boxes.map(({ name, x, y }) => (
            <g key={name} class={name === now ? 'state now' : next.includes(name) ? 'state next' : 'state'}>
              <rect x={x} y={y} width={BOX.width} height={BOX.height} rx="8" />
              <text x={x + BOX.width / 2} y={y + BOX.height / 2 + 4.5} text-anchor="middle">
                {name}
              </text>
            </g>
          ))}
        </svg>
      </div>
      <figcaption>{words}.</figcaption>
    </figure>
  );
}
