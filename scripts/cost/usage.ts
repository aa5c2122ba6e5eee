/** What was counted by `npm run bench -- cost --record`: units of the services that bill, for one of each thing that is done. */
import fs from 'node:fs';
import path from 'node:path';
import { writeFile } from '@tandem-clouds/command-line/write-file';

const FILE = path.join(import.meta.dirname, 'usage.json');

/** Units in all. */
export interface Tally {
  readonly dynamoDbWriteUnits: number;
  /** Those of the index `by_type`, which lists have and replication does not need. */
  readonly dynamoDbListIndexUnits: number;
  readonly dynamoDbReadUnits: number;
  /** Writes with a condition, whether or not it held. */
  readonly dynamoDbWrites: number;
  readonly sqsRequests: number;
  /** Estimated (`packages/emulators/src/cosmos/charges.ts`). */
  readonly cosmosRequestUnits: number;
  readonly cosmosWrites: number;
  readonly serviceBusOperations: number;
}

/** Where the costs of a write arise. */
export interface WriteCost {
  /** The local write: the record with its marker, and the message. */
  readonly write: Tally;
  /** Everything after it: forwarding, clearing the marker, applying. */
  readonly crossing: Tally;
}

/** What a declared index adds to a write that changes it, at the site of the write; its arrival costs the other site the same. */
export interface IndexUsage {
  readonly made: Tally;
  /** The value that is asked for, or the one that orders, has changed. */
  readonly moved: Tally;
  readonly removed: Tally;
}

/** What a declared reaction costs at the site where it runs. */
export interface ReactionUsage {
  /** What it adds to the write that makes its condition true: its entry, and the message that wakes it. */
  readonly begun: Tally;
  /** Its run: the attempt that is written down, and the result. */
  readonly run: Tally;
}

/** What is done at one site, and what that uses at both. */
export interface SiteUsage {
  readonly create: WriteCost;
  /** With a kilobyte of payload. */
  readonly createLarge: WriteCost;
  readonly update: WriteCost;
  /** No batch has two messages. */
  readonly updateAlone: WriteCost;
  readonly read: Tally;
  /** A page of 20. */
  readonly list: Tally;
  /** Nothing happens, from one heartbeat to the next. */
  readonly beat: Tally;
  /** Of a beat, what looks for reactions that are due: where no entity has reactions, it is not done. */
  readonly looks: Tally;
  readonly index: IndexUsage;
  readonly reaction: ReactionUsage;
}

export interface Usage {
  /** ISO 8601 date. */
  readonly measured: string;
  readonly aws: SiteUsage;
  readonly azure: SiteUsage;
}

/** Each minute's run sends five delayed messages in one call; each is received and deleted. */
const TICK_REQUESTS_PER_HOUR = 60 + 300 + 300;
/**
 * Lambda keeps five long polls of 20 s open on each of four queues, that of the feature objects apart; it goes down to two only without a maximum
 * concurrency, which all of them have.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 */
const EMPTY_RECEIVES_PER_HOUR = 4 * 5 * 180;

/** What a site on AWS asks of SQS in an hour in which nothing happens, computed: the local host polls otherwise. */
export const IDLE_SQS_REQUESTS_PER_HOUR = TICK_REQUESTS_PER_HOUR + EMPTY_RECEIVES_PER_HOUR;

/** @throws Error when nothing was recorded. */
export function readUsage(): Usage {
  return JSON.parse(fs.readFileSync(FILE, 'utf8')) as Usage;
}

export function writeUsage(usage: Usage): void {
  writeFile(FILE, `${JSON.stringify(usage, null, 2)}\n`);
}
