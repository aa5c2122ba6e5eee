/** Directions as an aligned table for people, with a sentence for each. */
import { styleText } from 'node:util';
import { aligned } from '@tandem-clouds/command-line/table';
import type { Direction } from '@tandem-clouds/operator/directions';
import type { SiteReport } from '@tandem-clouds/operator/query-sites';
import type { QueueDepth } from '../../src/shared/ports/dead-letter-box.ts';
import { contentCell, contentLines, contentSentence } from './content-text.ts';

type Colour = 'green' | 'yellow' | 'red' | 'dim';

const HEADINGS = [
  'from → to',
  'safe before',
  'keys at risk',
  'oldest',
  'heard ago',
  'out queue',
  'in queue',
  'dead letters',
] as const;
/** What cannot be known: the site does not answer, or there is no operator key to ask it with. */
const UNKNOWN = '–';

/** @param colour Whether the output understands escape sequences. */
export function toTable(
  directions: readonly Direction[],
  reports: readonly SiteReport[],
  colour: boolean,
): string {
  const paint = (text: string, as: Colour): string =>
    colour ? styleText(as, text, { validateStream: false }) : text;
  const cells = directions.map(cellsOf);
  const hasContent = directions.some(({ content }) => content !== undefined);
  const table = hasContent
    ? [
        [...HEADINGS, 'objects on their way'],
        ...cells.map((row, i) => [...row, contentCell(directions[i]?.content)]),
      ]
    : [[...HEADINGS], ...cells];
  const [heading = '', ...rows] = aligned(table);
  const queueProblems = reports.flatMap(({ site, url, queueProblem }) =>
    queueProblem === undefined ? [] : [`The queues of ${site ?? url} do not answer: ${queueProblem}.`],
  );
  const pendingProblems = reports.flatMap(({ site, url, pendingProblem }) =>
    pendingProblem === undefined
      ? []
      : [`The keys at risk of ${site ?? url} are not known: ${pendingProblem}.`],
  );
  const causesProblems = reports.flatMap(({ site, url, causesProblem }) =>
    causesProblem === undefined
      ? []
      : [`What the dead letters of ${site ?? url} are about is not known: ${causesProblem}.`],
  );
  return [
    paint(heading, 'dim'),
    ...rows.map((row, i) => paint(row, gravityOf(directions[i]))),
    '',
    ...directions.map((direction) => paint(sentenceOf(direction), gravityOf(direction))),
    ...[...queueProblems, ...pendingProblems, ...causesProblems].map((text) => paint(text, 'red')),
    ...reports.flatMap((report) => parkedLines(report)).map((text) => paint(text, 'red')),
    ...reports.flatMap((report) =>
      contentLines(report).map(({ text, isBad }) => (isBad ? paint(text, 'red') : text)),
    ),
    ...directions.flatMap((direction) => keyLines(direction)),
    ...reports.flatMap((report) => [
      ...indexLines(report),
      ...unusableLines(report),
      ...deadLetterLines(report),
    ]),
    '',
  ].join('\n');
}

/** Reactions that wait for a person; nothing when there are none. */
function parkedLines({ site, url, parked, parkedProblem }: SiteReport): string[] {
  if (parkedProblem !== undefined)
    return [`Which reactions are parked at ${site ?? url} is not known: ${parkedProblem}.`];
  if (parked === undefined || parked.keys === 0) return [];
  const records = parked.keys === 1 && !parked.atLeast ? 'record' : 'records';
  return [
    `Reactions on ${parked.atLeast ? 'at least ' : ''}${parked.keys} ${records} are parked at ${site ?? url}: reactions list says why.`,
  ];
}

/** A heading and a line a key; nothing when they were not asked for. */
function keyLines({ from, to = '', keys, atLeast }: Direction): string[] {
  if (keys === undefined) return [];
  const name = `${from} → ${to}`;
  if (keys.length === 0) return ['', `No key is at risk from ${name}.`];
  const rows = keys.map(({ key, since, refused }) => [`  ${key}`, since, refused ?? 'on its way']);
  const more = atLeast === true ? ', the oldest; there are more' : '';
  return ['', `Keys at risk from ${name}${more}:`, ...aligned(rows)];
}

/** Lists that do not answer yet; nothing when all do. */
function indexLines({ replication }: SiteReport): string[] {
  const { site, indexes = [] } = replication ?? {};
  if (indexes.length === 0) return [];
  const rows = indexes.map(({ id, phase, since }) => [
    `  ${id.split('.').slice(0, -1).join('.')}`,
    since,
    phase === 'filling' ? 'is being filled' : 'is filled here; not yet at every site',
  ]);
  return ['', `Indexes of ${site ?? ''} that do not answer yet, and since when:`, ...aligned(rows)];
}

/** What a site cannot use itself: no direction lacks it, and no message waits for it. */
function unusableLines({ site, url, pending }: SiteReport): string[] {
  const { unusable = [] } = pending ?? {};
  if (unusable.length === 0) return [];
  const rows = unusable.map(({ key, since, during, reason }) => [`  ${key}`, since, during, reason]);
  return ['', `Keys that ${site ?? url} cannot read or write, for good:`, ...aligned(rows)];
}

function deadLetterLines({ site, url, causes = [] }: SiteReport): string[] {
  const rows = causes.flatMap(({ keys = [], newest, source, reason }) =>
    keys.map(({ key, detail }) => [`  ${key}`, newest, source, `${reason}: ${detail}`]),
  );
  if (rows.length === 0) return [];
  return ['', `Keys among the dead letters of ${site ?? url}:`, ...aligned(rows)];
}

function gravityOf(direction: Direction | undefined): Colour {
  if (direction?.problem !== undefined || direction?.refusal !== undefined) return 'red';
  if ((direction?.refusedKeys ?? 0) > 0 || (direction?.content?.overdue ?? 0) > 0) return 'red';
  if ((direction?.deadLetters?.messages ?? 0) > 0) return 'red';
  const isOpen =
    (direction?.keysAtRisk ?? 0) > 0 || direction?.atLeast === true || (direction?.content?.objects ?? 0) > 0;
  return isOpen || direction?.paused === true ? 'yellow' : 'green';
}

function cellsOf(direction: Direction): string[] {
  const { from, to, safeTime, heardMsAgo, outQueue, inQueue, deadLetters, problem } = direction;
  const name = to === undefined ? from : `${from} → ${to}`;
  return [
    name,
    problem === undefined ? (safeTime ?? UNKNOWN) : 'does not answer',
    keysOf(direction),
    direction.keysAtRisk === 0 ? 'none' : duration(direction.oldestPendingMs),
    heardMsAgo === null ? 'never' : duration(heardMsAgo),
    count(outQueue),
    count(inQueue),
    count(deadLetters),
  ];
}

function keysOf({ keysAtRisk, atLeast }: Direction): string {
  if (keysAtRisk === undefined) return UNKNOWN;
  return atLeast === true ? `at least ${keysAtRisk}` : String(keysAtRisk);
}

function sentenceOf(direction: Direction): string {
  const { from, to = '', safeTime = UNKNOWN, behindMs, problem } = direction;
  if (problem !== undefined) return `${from} does not answer: ${problem}. What it alone holds is not known.`;
  const { paused, refusal, refusedKeys: never = 0 } = direction;
  const why =
    (never > 0 ? ` ${to} refuses ${never} of them for good: status --keys says why.` : '') +
    (paused === true ? ' It is paused.' : '') +
    sendingOf(direction) +
    (refusal === undefined ? '' : ` ${to} does not take what is sent: ${refusal}`);
  return (
    `Everything acknowledged at ${from} before ${safeTime} (${duration(behindMs)} ago) is safe at ${to}; ` +
    `${lossOf(direction)} would be lost if ${from} vanished now.${why}${contentSentence(direction)}`
  );
}

function sendingOf({ sendingPerSecond, sentBy }: Direction): string {
  if (sendingPerSecond === undefined) return '';
  const end = sentBy === undefined ? '' : `; the last of it about ${sentBy}`;
  return ` The backlog is being sent, ${sendingPerSecond} keys a second${end}.`;
}

function lossOf(direction: Direction): string {
  const { keysAtRisk, atLeast } = direction;
  if (keysAtRisk === 0 && atLeast !== true) return 'nothing that is known';
  return `writes to ${keysOf(direction)} ${keysAtRisk === 1 && atLeast !== true ? 'key' : 'keys'}`;
}

function count(depth: QueueDepth | undefined): string {
  if (depth === undefined) return UNKNOWN;
  return depth.atLeast ? `at least ${depth.messages}` : String(depth.messages);
}

/** The two largest units that count: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `4 d 1 h`. */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return UNKNOWN;
  const seconds = ms / 1_000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [s, min, h, d] = [
    whole % 60,
    Math.floor(whole / 60) % 60,
    Math.floor(whole / 3_600) % 24,
    Math.floor(whole / 86_400),
  ];
  if (d > 0) return `${d} d ${h} h`;
  if (h > 0) return `${h} h ${min} min`;
  return min > 0 ? `${min} min ${s} s` : `${s} s`;
}
