/** Reads what the page orders of traffic. Nothing that it does not know gets through. */
import { ConsoleError } from './reply.ts';
import type { MoveOrder, TrafficOrder } from './traffic-view.ts';

const MOVES = ['shift', 'drain', 'failover', 'restore'] as const;
/** As the policy's schema. */
const STEP = { min: 1, max: 100 };
const HOLD = { min: 1, max: 86_400 };
const PERCENT = { min: 0, max: 100 };
/** What the path names, where that is no site. */
const ABOUT: Readonly<Record<string, string>> = { runbook: 'name', acknowledge: 'runbook' };

/**
 * @param kind Of the path, as is what it is about: the site, or the name of a runbook.
 * @param text JSON with the rest.
 * @throws ConsoleError that names the field and the rule
 */
export function orderIn(kind: string, about: string | undefined, text: string): TrafficOrder {
  const given: Readonly<Record<string, unknown>> = {
    ...parsed(text),
    kind,
    [ABOUT[kind] ?? 'site']: about,
  };
  const word = (name: string): string => {
    const value = given[name];
    if (typeof value !== 'string' || value === '') throw new ConsoleError(400, `${name}: a text is needed`);
    return value;
  };
  switch (kind) {
    case 'apply':
      return { kind: 'apply', hash: word('hash') };
    case 'runbook':
      return { kind: 'runbook', name: word('name'), site: word('site'), over: given['over'] === true };
    case 'acknowledge':
      return { kind: 'acknowledge', runbook: word('runbook'), site: word('site'), why: word('why') };
    default:
      return moveIn(given);
  }
}

/** @param given Of a body or of a query. @throws ConsoleError that names the field and the rule */
export function moveIn(given: Readonly<Record<string, unknown>>): MoveOrder {
  const kind = MOVES.find((each) => each === given['kind']);
  if (kind === undefined)
    throw new ConsoleError(400, `kind: one of ${MOVES.join(', ')}, apply, runbook, acknowledge`);
  const { site } = given;
  if (kind !== 'restore' && (typeof site !== 'string' || site === ''))
    throw new ConsoleError(400, 'site: which one?');
  const percent = whole(given, 'percent', PERCENT);
  if (kind === 'shift' && percent === undefined)
    throw new ConsoleError(400, 'percent: a whole number from 0 to 100 is needed');
  return {
    kind,
    ...(kind !== 'restore' && { site: site as string }),
    ...(kind === 'shift' && { percent }),
    now: isSet(given['now']),
    force: isSet(given['force']),
    stepPercent: whole(given, 'stepPercent', STEP),
    holdSeconds: whole(given, 'holdSeconds', HOLD),
  };
}

function whole(
  given: Readonly<Record<string, unknown>>,
  name: string,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  const value = given[name];
  if (value === undefined || value === '') return undefined;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < min || number > max)
    throw new ConsoleError(400, `${name}: a whole number from ${min} to ${max} is needed`);
  return number;
}

function isSet(value: unknown): boolean {
  return value === true || value === 'true';
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new ConsoleError(400, 'the body: a JSON object is needed');
}
