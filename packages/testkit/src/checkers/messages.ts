/**
 * Invariant 12: every message ends applied or superseded, or is set aside with a reason, and only what can never be
 * read stays there. A write causes at most one message to the site's own queue, and in the end all is quiet.
 *
 * Invariant 15: throttles alone dead-letter nothing. Whoever gives up on what may pass has had enough tries that nobody
 * throttled; a broker that counts receives which no function saw still has more left than they took.
 */
import type { Finding, MessageFact } from '../history/facts.ts';
import { RECEIVED_TOO_OFTEN } from '../history/facts.ts';

const invariant = '12 messages';
const HOPELESS = new Set(['malformed', 'foreign', 'forged_stamp']);

export interface MessageTotals {
  /** Local writes that committed. */
  readonly writes: number;
  /** Messages handed to sites' own queues. */
  readonly published: number;
  /** Messages sent after everything had come to rest. */
  readonly sentAtRest: number;
  /** Messages accepted by inbound queues, and how many there may be at most. */
  /** Over months a message may lie among the dead letters for longer than what it is about. */
  readonly months?: boolean;
  readonly sent: number;
  readonly sentMax: number;
}

export function checkMessages(messages: readonly MessageFact[], totals: MessageTotals): Finding[] {
  const findings: Finding[] = [];
  for (const { site, kind, key, end, reasons, poison, excused, overtaken } of messages) {
    const reason = reasons.at(-1);
    const where = `a message in the ${kind} queue of ${site}`;
    if (end === 'open') findings.push({ invariant, key, detail: `${where} never ended` });
    if (end === 'lost' && kind === 'in' && excused !== true)
      findings.push({ invariant, key, detail: `${where} was lost` });
    if (reasons.includes('') || (end === 'dead' && reason === undefined))
      findings.push({ invariant, key, detail: `${where} was set aside without a reason` });
    if (end === 'dead' && !poison && !(totals.months === true && reason === 'beyond_horizon'))
      findings.push({ invariant, key, detail: `${where} stays dead: ${reason}` });
    // Of a record that has been written since it may be out of date; that it changed nothing is what the others check.
    if (poison && end === 'done' && overtaken !== true)
      findings.push({ invariant, key, detail: `${where} is none and was not set aside` });
    if (poison && end === 'dead' && !HOPELESS.has(reason ?? ''))
      findings.push({ invariant, key, detail: `${where} is none and was set aside for "${reason}"` });
  }
  const { writes, published, sentAtRest, sent, sentMax } = totals;
  if (published > writes)
    findings.push({ invariant, detail: `${published} events were published for ${writes} writes` });
  if (sentAtRest > 0)
    findings.push({ invariant, detail: `${sentAtRest} messages were sent after all was quiet` });
  if (sent > sentMax)
    findings.push({ invariant, detail: `${sent} messages crossed, at most ${sentMax} may` });
  return findings;
}

/** Tries after which an inbound message may be dead-lettered for a reason that passes. */
const TRIES_MIN = 10;
/** Reasons that say nothing about the message: a later try may succeed. */
const PASSING = new Set(['unavailable', 'ambiguous', RECEIVED_TOO_OFTEN]);

/** When a message is dead-lettered. @param failures What had come to nothing before, this time included. */
export function checkNotByThrottles({ site, kind, key, failures }: MessageFact, reason: string): Finding[] {
  const { throttled = 0, others = 0 } = failures ?? {};
  if (!PASSING.has(reason) || throttled === 0 || others >= TRIES_MIN) return [];
  const detail = `a message in the ${kind} queue of ${site} was dead-lettered as "${reason}" after ${throttled} throttles and ${others} tries`;
  return [{ invariant: '15 throttles', key, detail }];
}
