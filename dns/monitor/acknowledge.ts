/** Somebody takes an incident on: written where all monitors read it, so that none of them escalates it any further. */
import { RefusedError } from '../errors.ts';
import {
  type Acknowledgement,
  acknowledgementText,
  BY_BYTES_MAX,
  type Incident,
  incidentKey,
  isTooLong,
  WHY_BYTES_MAX,
} from '../incidents.ts';
import { withLock } from '../plan/lock.ts';
import { Ledger } from './ledger.ts';
import type { MonitorContext } from './monitor-context.ts';

export interface AcknowledgementRequest extends Pick<Acknowledgement, 'by' | 'why'> {
  readonly runbook: string;
  readonly site: string;
}

type Context = Pick<MonitorContext, 'clock' | 'incidents' | 'owner' | 'provider' | 'report'>;

/** @throws RefusedError when there is nothing to acknowledge, somebody has done so, or the zone is locked */
export async function acknowledge(context: Context, request: AcknowledgementRequest): Promise<Incident> {
  const { provider, clock, report, owner, incidents } = context;
  const by = bounded('by', request.by, BY_BYTES_MAX);
  const why = bounded('why', request.why, WHY_BYTES_MAX);
  return withLock({ provider, clock, report, owner }, async () => {
    const ledger = await Ledger.open(provider);
    const key = incidentKey(request);
    const incident = ledger.find(key);
    if (incident?.phase !== 'open') throw new RefusedError(`${key} has no open incident to acknowledge`);
    if (incident.acknowledged !== undefined) {
      throw new RefusedError(`${key}: ${acknowledgementText(incident.acknowledged)}`);
    }
    const acknowledged = { by, why, atMs: Math.floor(clock.now() / 1000) * 1000 };
    const next = { ...incident, acknowledged };
    if (isTooLong(ledger.incidentsWith(next))) {
      throw new RefusedError(`the zone's record of incidents has no room for it: give a shorter --why`);
    }
    await ledger.write(next);
    incidents.add(next, acknowledgementText(acknowledged));
    return next;
  });
}

/** One line of text. */
function bounded(name: string, text: string, bytesMax: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line === '') throw new RefusedError(`${name}: must not be empty`);
  if (Buffer.byteLength(line) > bytesMax)
    throw new RefusedError(`${name}: at most ${bytesMax} bytes of UTF-8`);
  return line;
}
