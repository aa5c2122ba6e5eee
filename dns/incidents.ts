/**
 * What the monitors know together: incidents, kept in the zone as a TXT record, where each of them can read it whichever
 * cloud is lost. It is changed under the zone's lock only, and together with the traffic that a runbook moves.
 *
 * Plans leave the record alone: it says nothing of how the zone is answered.
 */
import type { Change, PlainRecord, ZoneRecord } from '@tandem-clouds/zone/model';
import type { Raised } from './raised.ts';

/** `open`: the runbook's actions are made or being made; `over`: those of the way back; `closed`: nothing is left. */
export type Phase = 'open' | 'over' | 'closed';

/**
 * Of one action: to do, done by us, partly done by us (to be finished or taken back), or found done (or not possible
 * here), so that it is not ours to take back.
 */
export type Mark = '-' | 'p' | 's' | 'x';

/** Nothing is left to do. */
export function isSettled(mark: Mark): boolean {
  return mark === 'x' || mark === 's';
}

/** Somebody has taken an incident on. */
export interface Acknowledgement {
  readonly by: string;
  readonly why: string;
  /** Epoch milliseconds, whole seconds. */
  readonly atMs: number;
}

export interface Incident {
  readonly runbook: string;
  readonly site: string;
  readonly phase: Phase;
  /** Epoch milliseconds, whole seconds, by the clock of whoever opened it. */
  readonly openedAtMs: number;
  /** Of the last change of phase. */
  readonly changedAtMs: number;
  /** How often it came back before it had been over for long. */
  readonly flaps: number;
  /** One mark for each of the runbook's `actions`. */
  readonly did: readonly Mark[];
  /** One for each of `over`. */
  readonly undid: readonly Mark[];
  /** Of this time that it was opened; one that comes back needs another. */
  readonly acknowledged?: Acknowledgement;
  /** What monitors have given the other sites, and what was before: to be put back. */
  readonly raised?: Raised;
}

export function acknowledgementText({ by, why, atMs }: Acknowledgement): string {
  return `acknowledged by ${by} at ${new Date(atMs).toISOString()}: ${why}`;
}

const NAME = '_tandem-monitor';
const VERSION = 'tandem1';
/** Nobody but monitors reads it. */
const TTL_SECONDS = 60;
/** The oldest closed ones go first. */
const INCIDENTS_MAX = 20;
/** Below the 4,000 characters of a TXT value in a policy. */
const TEXT_CHARS_MAX = 3_900;
/** In UTF-8. */
export const BY_BYTES_MAX = 60;
export const WHY_BYTES_MAX = 240;

export function incidentsName(zone: string): string {
  return `${NAME}.${zone}`;
}

/** Tells incidents of one zone apart; the same for all monitors. */
export function incidentKey({ runbook, site }: Pick<Incident, 'runbook' | 'site'>): string {
  return `${runbook}/${site}`;
}

/** What the zone says; a text, or a part of it, that is not ours counts as none. */
export function incidentsIn(records: readonly ZoneRecord[], zone: string): readonly Incident[] {
  const record = recordIn(records, zone);
  const [version, ...entries] = (record?.values[0] ?? '').split(' ');
  if (version !== VERSION) return [];
  const notes = entries.flatMap(noteFrom);
  return entries
    .flatMap(incidentFrom)
    .map((incident) =>
      notes
        .filter((note) => isAbout(note, incident))
        .reduce<Incident>((whole, { says }) => ({ ...whole, ...says }), incident),
    );
}

/** From what the zone says to these; undefined when it says so already. */
export function incidentsChange(
  records: readonly ZoneRecord[],
  incidents: readonly Incident[],
  zone: string,
): Change | undefined {
  const before = recordIn(records, zone);
  const after = recordOf(incidents, zone);
  if (before?.values[0] === after?.values[0]) return undefined;
  return { ...(before && { before }), ...(after && { after }) };
}

/** With this one in place of the one of its runbook and site. */
export function withIncident(incidents: readonly Incident[], next: Incident): readonly Incident[] {
  const others = incidents.filter((one) => incidentKey(one) !== incidentKey(next));
  const byAge = [...others, next].sort((a, b) => rank(b) - rank(a)).slice(0, INCIDENTS_MAX);
  while (byAge.at(-1)?.phase === 'closed' && isTooLong(byAge)) byAge.pop();
  return byAge.sort((a, b) => (incidentKey(a) < incidentKey(b) ? -1 : 1));
}

/** They do not fit into the zone's record. */
export function isTooLong(incidents: readonly Incident[]): boolean {
  return valueOf(incidents).length > TEXT_CHARS_MAX;
}

/** Those that still matter are kept longest. */
function rank({ phase, changedAtMs }: Incident): number {
  return (phase === 'closed' ? 0 : Number.MAX_SAFE_INTEGER / 2) + changedAtMs;
}

function recordIn(records: readonly ZoneRecord[], zone: string): PlainRecord | undefined {
  return records.find(
    (record): record is PlainRecord =>
      record.kind === 'plain' && record.name === incidentsName(zone) && record.type === 'TXT',
  );
}

function recordOf(incidents: readonly Incident[], zone: string): PlainRecord | undefined {
  if (incidents.length === 0) return undefined;
  return {
    kind: 'plain',
    name: incidentsName(zone),
    type: 'TXT',
    ttlSeconds: TTL_SECONDS,
    values: [valueOf(incidents)],
  };
}

function valueOf(incidents: readonly Incident[]): string {
  return [VERSION, ...incidents.map(textOf), ...incidents.flatMap(notesOf)].join(' ');
}

function textOf(incident: Incident): string {
  const { runbook, site, phase, openedAtMs, changedAtMs, flaps, did, undid } = incident;
  const times = [openedAtMs, changedAtMs].map((ms) => Math.floor(ms / 1000));
  return [runbook, site, phase, ...times, flaps, `d${did.join('')}`, `u${undid.join('')}`].join(',');
}

const TEXT =
  /^(?<runbook>[a-z0-9-]+),(?<site>[^,]+),(?<phase>open|over|closed),(?<opened>\d{1,12}),(?<changed>\d{1,12}),(?<flaps>\d{1,3}),d(?<did>[-psx]*),u(?<undid>[-psx]*)$/;

function incidentFrom(text: string): Incident[] {
  const { runbook, site, phase, opened, changed, flaps, did, undid } = TEXT.exec(text)?.groups ?? {};
  if (runbook === undefined || site === undefined) return [];
  return [
    {
      runbook,
      site,
      phase: phase as Phase,
      openedAtMs: Number(opened) * 1000,
      changedAtMs: Number(changed) * 1000,
      flaps: Number(flaps),
      did: marksIn(did),
      undid: marksIn(undid),
    },
  ];
}

function marksIn(text = ''): readonly Mark[] {
  return Array.from(text, (mark) => mark as Mark);
}

/**
 * Beside the incidents and not within them, so that a monitor of an earlier release still reads those. It names the time
 * of opening: whoever does not know notes cannot make one count for the next incident of that runbook and site.
 */
interface Note extends Pick<Incident, 'openedAtMs' | 'runbook' | 'site'> {
  readonly says: Pick<Incident, 'acknowledged' | 'raised'>;
}

function isAbout(note: Note, incident: Incident): boolean {
  return incidentKey(note) === incidentKey(incident) && note.openedAtMs === incident.openedAtMs;
}

function notesOf({ runbook, site, phase, openedAtMs, acknowledged, raised }: Incident): string[] {
  const about = [runbook, site, Math.floor(openedAtMs / 1000)].join(',');
  const encoded = (text: string): string => Buffer.from(text).toString('base64url');
  return [
    // Of a closed one nobody asks any more.
    ...(acknowledged === undefined || phase === 'closed'
      ? []
      : [
          `ack:${about},${Math.floor(acknowledged.atMs / 1000)},${encoded(acknowledged.by)},${encoded(acknowledged.why)}`,
        ]),
    ...(raised === undefined ? [] : [`raised:${about},${encoded(JSON.stringify(raised))}`]),
  ];
}

const NOTE =
  /^(?:ack|raised):(?<runbook>[a-z0-9-]+),(?<site>[^,]+),(?<opened>\d{1,12})(?:,(?<at>\d{1,12}),(?<by>[\w-]*),(?<why>[\w-]*)|,(?<raised>[\w-]+))$/;

function noteFrom(text: string): Note[] {
  const { runbook, site, opened, at, by = '', why = '', raised } = NOTE.exec(text)?.groups ?? {};
  if (runbook === undefined || site === undefined) return [];
  const plain = (encoded: string): string => Buffer.from(encoded, 'base64url').toString();
  const about = { runbook, site, openedAtMs: Number(opened) * 1000 };
  if (raised === undefined) {
    return [
      { ...about, says: { acknowledged: { by: plain(by), why: plain(why), atMs: Number(at) * 1000 } } },
    ];
  }
  try {
    return [{ ...about, says: { raised: JSON.parse(plain(raised)) as Raised } }];
  } catch {
    // Not ours.
    return [];
  }
}
