/** What the commands that operate sites are given. */

import type { Level } from '@tandem-clouds/emulators/otlp/log-line';
import type { Whereabouts } from '@tandem-clouds/operator/targets';

/** Whom a command asks, and how it answers. */
export interface CommonOptions extends Whereabouts {
  readonly json: boolean;
}

export interface StatusOptions extends CommonOptions {
  readonly command: 'status';
  readonly watch: boolean;
  /** Names the keys at risk. */
  readonly keys: boolean;
}

export interface ConsoleOptions extends CommonOptions {
  /** On 127.0.0.1; 0 picks a free one. */
  readonly port: number;
  /** The file that actions are written to. */
  readonly audit: string;
}

export type MetricsOptions = Pick<CommonOptions, 'stack' | 'sites'>;

export interface TraceOptions {
  /** A `stack.json`, or the folder it is in. */
  readonly stack: string;
  readonly json: boolean;
}

export interface TraceListOptions extends TraceOptions {
  readonly route: string | undefined;
  readonly minMs: number;
  readonly failed: boolean;
  readonly all: boolean;
  readonly limit: number;
}

export interface LogListOptions extends TraceOptions {
  /** The id of a trace, or how it begins. */
  readonly trace: string | undefined;
  readonly level: Level;
  readonly text: string | undefined;
  readonly site: string | undefined;
  readonly limit: number;
}

export interface PauseOptions extends CommonOptions {
  readonly command: 'pause' | 'resume';
  /** Ids of the site that sends and of the one that it sends to. */
  readonly from: string;
  readonly to: string;
}

export interface PromoteOptions extends CommonOptions {
  readonly command: 'promote';
  /** `all`: every one that one site writes at a time. */
  readonly entity: string;
  readonly to: string;
  /** The site that wrote and is gone, at least for now. */
  readonly lost: string | undefined;
  /** No request reaches it before it knows who writes. */
  readonly fenced: boolean;
  /** Does it; otherwise only says what would be done. */
  readonly yes: boolean;
}

export interface DeadLetterOptions extends CommonOptions {
  readonly command: 'dlq';
  readonly action: 'list' | 'show' | 'replay' | 'discard';
  /** The site whose dead letters are meant; every one of them for a list, when it is not named. */
  readonly at: string | undefined;
  readonly ids: readonly string[];
  readonly source: string | undefined;
  readonly reason: string | undefined;
  readonly all: boolean;
  readonly dryRun: boolean;
  /** Letters a second. */
  readonly rate: number;
  /** A file with the event that goes back in place of the letter's body. */
  readonly edit: string | undefined;
}

export interface CompareOptions extends CommonOptions {
  readonly command: 'compare' | 'repair' | 'backfill';
  /** Ids of the site that begins, and of the one that it is compared with. */
  readonly from: string;
  readonly to: string;
}

export interface ConflictOptions extends CommonOptions {
  readonly command: 'conflicts';
  readonly action: 'list' | 'show' | 'override';
  /** Whose log is read; any site's will do when it is not named. */
  readonly at: string | undefined;
  readonly ids: readonly string[];
  readonly limit: number;
  /** JSON text of what to write in place of the value that lost. */
  readonly value: string | undefined;
  readonly note: string | undefined;
}

export interface TokenOptions extends CommonOptions {
  readonly command: 'token';
  readonly scope: string | undefined;
}

export interface ObjectOptions extends CommonOptions {
  readonly command: 'objects';
  readonly action: 'check' | 'show';
  /** One site only; all of them when it is not named. */
  readonly at: string | undefined;
  /** Of `show`: the id of an object, or the key of a record with content. */
  readonly id: string;
  /** Of `check`: all bytes are read and compared. */
  readonly read: boolean;
}

export interface StockOptions extends CommonOptions {
  readonly command: 'stock';
  readonly action: 'show' | 'fence' | 'recover';
  /** The site that is asked; the first one when it is not named. */
  readonly at: string | undefined;
  /** The article; empty: all of them. */
  readonly sku: string;
  /** Of `fence` and `recover`: the site that is gone for good. */
  readonly lost: string;
  /** Of `fence`: the one that enters its count. */
  readonly heir: string;
  /** Of `recover`. */
  readonly units: number;
}

export interface LedgerOptions extends CommonOptions {
  readonly command: 'ledger';
  readonly action: 'reconcile' | 'balance' | 'export';
  /** RFC 3339; of `reconcile` both are there. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** The site that is asked; any of them when it is not named. */
  readonly at: string | undefined;
  readonly provider: 'stripe' | 'paypal' | undefined;
  /** Of `export`: a file. */
  readonly output: string | undefined;
}

export interface AnalyticsOptions extends CommonOptions {
  readonly command: 'analytics';
  /** RFC 3339, or dates. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly step: 'minute' | 'hour' | 'day' | undefined;
  /** IANA. */
  readonly timeZone: string | undefined;
  /** The site that is asked; any of them when it is not named. */
  readonly at: string | undefined;
  /** Recounts all orders and users. */
  readonly check: boolean;
}

export interface ReactionOptions extends CommonOptions {
  readonly command: 'reactions';
  readonly action: 'list' | 'show' | 'pause' | 'resume' | 'retry' | 'park' | 'backfill' | 'take-over';
  /** The site that is asked. */
  readonly at: string | undefined;
  /** Of `show`, `retry` and `park`. */
  readonly key: string;
  /** The reaction's name; `<entity>.<reaction>` where no key says of which entity. */
  readonly reaction: string;
  /** The site that is gone for good, of `take-over`. */
  readonly lost: string;
}

/** Where archives are: those of the stack, unless places are named. */
export interface PlacesOptions {
  readonly stack: string;
  readonly from: readonly string[];
  /** Sites whose archives are meant; empty: all. */
  readonly of: readonly string[];
  readonly json: boolean;
}

/** Into which site something is put. */
interface IntoOptions {
  /** Its id. */
  readonly into: string;
  /** Places of a deployed one. */
  readonly store: string | undefined;
  readonly objects: string | undefined;
  /** Merges with what is there. */
  readonly beside: boolean;
  readonly yes: boolean;
  /** A file that says what was done. */
  readonly report: string | undefined;
}

export interface SiteRestoreOptions extends PlacesOptions, IntoOptions {
  readonly entity: string | undefined;
  readonly key: string | undefined;
  /** Epoch milliseconds. */
  readonly atMs: number | undefined;
}

export interface UndoOptions extends PlacesOptions, CommonOptions {
  readonly entity: string | undefined;
  readonly key: string | undefined;
  readonly field: readonly string[];
  /** Epoch milliseconds. */
  readonly beforeMs: number;
  readonly untilMs: number;
  readonly deleteCreated: boolean;
  /** By whose API it is written; undefined: any. */
  readonly at: string | undefined;
  readonly yes: boolean;
}

export interface ExportOptions {
  readonly stack: string;
  readonly site: string;
  readonly store: string | undefined;
  readonly objects: string | undefined;
  readonly to: string;
  readonly json: boolean;
}

export interface ImportOptions extends IntoOptions {
  readonly stack: string;
  readonly from: string;
  readonly json: boolean;
}
