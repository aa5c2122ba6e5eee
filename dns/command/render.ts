/** Plans and states as text for people, and as data for programs. */
import { styleText } from 'node:util';
import {
  type Alias,
  type Change,
  checkKey,
  type Edge,
  type Sharing,
  type Target,
  type ZoneRecord,
} from '@tandem-clouds/zone/model';
import { isEmpty, type Plan } from '../plan/plan.ts';
import { visible } from '../visible.ts';

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';
type Paint = (style: Style, text: string) => string;

export function painter(colour: boolean): Paint {
  return (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text);
}

/** The whole plan, sorted; the hash is what `apply --hash` takes. */
export function planText(plan: Plan, colour: boolean): string {
  const paint = painter(colour);
  const lines = [
    ...plan.changes.flatMap((change) => changeLines(change, paint)),
    ...plan.leftovers.map((leftover) => paint('red', `- ${leftover} (unused)`)),
    ...plan.foreign.map(({ name, type, reason }) =>
      paint('dim', `  left alone: ${visible(name)} ${type}: ${visible(reason)}`),
    ),
    ...[...plan.overrides].map(([site, percent]) =>
      paint('yellow', `  traffic stands beside the policy: ${site} at ${percent} %; restore brings it back`),
    ),
  ];
  const count = (of: (change: Change) => boolean): number => plan.changes.filter(of).length;
  const created = count(({ before }) => before === undefined);
  const deleted = count(({ after }) => after === undefined);
  const changed = plan.changes.length - created - deleted;
  const summary = isEmpty(plan)
    ? `${plan.zone} at ${plan.provider}: nothing to do`
    : `${plan.zone} at ${plan.provider}: ${created} to create, ${changed} to change, ${deleted} to delete, ` +
      `${plan.leftovers.length} unused to remove\nplan ${plan.hash}`;
  return [...lines, paint('bold', summary), ''].join('\n');
}

/** One JSON object. */
export function planJson(plan: Plan): string {
  const { changes, overrides, ...rest } = plan;
  return `${JSON.stringify({
    ...rest,
    empty: isEmpty(plan),
    overrides: Object.fromEntries(overrides),
    changes: changes.map((change) => ({ action: actionOf(change), ...change })),
  })}\n`;
}

function actionOf({ before, after }: Change): string {
  return before === undefined ? 'create' : after === undefined ? 'delete' : 'change';
}

function changeLines({ before, after }: Change, paint: Paint): string[] {
  const record = after ?? before;
  if (record === undefined) return [];
  const title = `${visible(record.name)} ${record.type}`;
  const old = before ? recordLines(before) : [];
  const wanted = after ? recordLines(after) : [];
  const mark =
    before === undefined
      ? paint('green', `+ ${title}`)
      : after === undefined
        ? paint('red', `- ${title}`)
        : paint('yellow', `~ ${title}`);
  return [
    mark,
    ...old.filter((line) => !wanted.includes(line)).map((line) => paint('red', `    - ${line}`)),
    ...wanted.filter((line) => !old.includes(line)).map((line) => paint('green', `    + ${line}`)),
  ];
}

function recordLines(record: ZoneRecord): string[] {
  const head = [`ttl ${record.ttlSeconds}`, ...(record.edge ? [edgeLine(record.edge)] : [])];
  if (record.kind === 'plain')
    return [
      ...head,
      ...record.values.map((value) => (record.type === 'TXT' ? JSON.stringify(value) : value)).map(visible),
      ...(record.alias ? [aliasText(record.alias)] : []),
    ];
  return [
    ...head,
    ...(record.deviations ?? []),
    ...sharingLines(record),
    ...(record.routes ?? []).flatMap((route) =>
      sharingLines(route).map((line) => `path ${route.path}: ${line}`),
    ),
  ];
}

function aliasText({ host, zoneId }: Alias): string {
  return `alias ${host} in zone ${zoneId}`;
}

function sharingLines({ strategy, targets }: Sharing): string[] {
  const order = strategy === 'failover';
  return [strategy, ...targets.map((target, index) => targetLine(target, order ? index + 1 : undefined))];
}

function edgeLine({ cdn, waf, rateLimit }: Edge): string {
  return [
    'behind the edge',
    ...(cdn ? ['CDN'] : []),
    ...(waf ? ['WAF'] : []),
    ...(rateLimit ? [`a client may send ${rateLimit.requests} requests in ${rateLimit.seconds} s`] : []),
  ].join(', ');
}

/** A target in one line. */
export function targetLine(target: Target, rank?: number): string {
  const { site, values, alias, weight, region, location, check } = target;
  return [
    ...(rank === undefined ? [] : [`${rank}.`]),
    site,
    ...(alias ? [aliasText(alias)] : values.map(visible)),
    ...(weight === undefined ? [] : [`weight ${weight}`]),
    ...(region === undefined ? [] : [region]),
    ...(location
      ? [...location.continents, ...location.countries, ...(location.default ? ['default'] : [])]
      : []),
    ...(check ? [`checked at ${checkKey(check)}`] : []),
  ].join(' ');
}

/** Reads what `plan --out` has written, and returns its hash. Undefined when it is none. */
export function hashIn(text: string): string | undefined {
  try {
    const { hash } = JSON.parse(text) as { hash?: unknown };
    return typeof hash === 'string' ? hash : undefined;
  } catch {
    return undefined;
  }
}
