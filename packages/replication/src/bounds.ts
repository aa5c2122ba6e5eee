/**
 * Every bound of the protocol: attempts, batches, pages, pauses, horizons. Units are part of a name. Where a vendor sets
 * the limit, the comment says which one. A service's own are in its `bounds.ts`.
 */

/** How long a read waits for the state that its session has seen. */
export const sessionWaitMs = 2_000;
/** How long a write that prefers `durability=all` waits for the peers' queues. */
export const durabilityWaitMs = 2_500;
/** The first and the longest pause between two looks at a record that another function will change. */
export const pollPauseMs = 10;
export const pollPauseMaxMs = 160;

// Clock
/** A remote stamp further ahead of the wall clock than this is parked. */
export const clockAheadMaxMs = 5_000;
/** Sites in one version vector, those that are gone included. */
export const vectorSitesMax = 64;

// Local write
/** Lost races on one key before the write gives up. */
export const writeAttemptsMax = 15;
/** Failed calls of the store during one write before it gives up. */
export const writeFailuresMax = 3;
export const writeBackoffMs = 10;
/** How many operation ids a record remembers, so that a retry after a time-out finds its own write. */
export const operationsRemembered = 8;

/** Lost races on one key in one apply batch before the message goes back to the queue. */
export const applyAttemptsMax = 10;
/** Attempts after which a message for a peer that does not answer is left to the sweeper: its marker covers it. */
export const forwardAttemptsMax = 3;
/**
 * What has lain in the own queue, or among its dead letters, for longer is left to the sweeper: a peer refuses what was
 * sent a horizon ago, and its queue and dead letters may keep a message for 14 days each.
 */
export const forwardAgeMaxMs = 24 * 3_600_000;
/**
 * Attempts at an inbound message that fails for a passing reason before it goes to the dead-letter queue: ten minutes with
 * the delays between them. Each is a message that the function on AWS sends to its own queue, of which Lambda ends a chain
 * after about 16 (https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html).
 */
export const inboundAttemptsMax = 10;
/** How often one batch asks again for what the store throttles; each call of a store has retries of its own. */
export const applyThrottlesMax = 2;
/** Service Bus Standard and Basic take 256 kB per message; SQS takes 1 MiB. */
export const eventBytesMax = 240 * 1024;

// Sweeper
/** A marker younger than this is left to the ordinary path. */
export const sweepGraceMs = 10_000;
export const sweepPageSize = 100;
/** Keys that one run resends at most, give or take a page; the next run goes on behind them. */
export const sweepKeysMax = 20_000;
/** How long a run goes on while there is a backlog: the next tick takes over. */
export const sweepRunMs = 9_000;
/** What has become due within so long is swept before a backlog: two ticks, on Azure too. */
export const sweepLatelyMs = 60_000;
/** Keys that one run looks at without sending any, most of which may be pending only for a peer that does not answer. */
export const sweepScansMax = 5_000;
/** Pages that are swept side by side: one more for as long as that gets more across, half as many after a refusal. */
export const sweepWidthMax = 4;
/**
 * How long a run rests after a full page, as a share of what the page took, and at most: the store belongs to live
 * traffic for a fifth of the time, however fast the store is.
 */
export const sweepRestShare = 0.25;
export const sweepRestMaxMs = 500;
/** A wider sweep must be faster by this factor, or it only stands in the way; and so many rounds until it is tried again. */
export const sweepGainMin = 1.1;
export const sweepWidthRounds = 20;
/** Refusals in a row, each with a pause, after which a run takes a peer, or its own store, for one that does not answer. */
export const sweepThrottlesMax = 10;
/**
 * Of the events that cross together in one message: what one bulk request writes, and what one message holds
 * (`eventBytesMax`), with what is around them.
 */
export const packEventsMax = 100;
export const packBytesMax = 200 * 1024;
/** Receives of a pack after which what cannot be applied of it goes on one by one, by the ordinary queue. */
export const packAttemptsMax = 3;
/** Buckets of the sparse index of pending markers: spreads its write load (DynamoDB: 1,000 units/s a partition). */
export const shardCount = 16;
export const sweepTickMs = 10_000;
/**
 * A heartbeat wakes functions at every site, and is what an idle site is billed for most: three ticks are two samples of
 * the lag in every minute, which is what its alarm needs.
 */
export const heartbeatMs = 3 * sweepTickMs;

/**
 * Records that a site's own heartbeat names as refused for good, for all peers together: with their causes at most
 * 45 kB of the heartbeat. For a record beyond them the safe time waits.
 */
export const refusedKeysMax = 100;
/**
 * Keys that a site's own heartbeat names because a comparison, a repair or the removal of tombstones cannot read or write
 * them: at most 15 kB, so that the heartbeat has its share of a message with four sites, too.
 */
export const unusableKeysMax = 25;
/** How long such an entry stands after it was last met: these functions run every hour. */
export const unusableKeptMs = 3 * 3_600_000;
/** One that was met so lately is not noted again. */
export const unusableAgainMs = 10 * 60_000;

// Reactions
/** A reaction whose message was not handled is woken after so long; the sweep wakes so many keys in one run. */
export const wakeGraceMs = 10_000;
export const wakeKeysMax = 500;
/** What has become due within so long is woken before a backlog: two ticks, on Azure too. */
export const reactionsLatelyMs = 60_000;
/** Effects that one message or one look at a record has done; the next one goes on. */
export const reactionStepsMax = 8;
/** How long an effect may take. The pause after its first attempt is longer, so nobody makes the second beside it. */
export const reactionRunMs = 8_000;
/** The pause before the second attempt; it doubles with each, up to the longest. */
export const reactionPauseMs = 15_000;
export const reactionPauseMaxMs = 3_600_000;
/** Attempts at one effect: with the pauses between them seventeen hours, less than providers remember keys. */
export const reactionAttemptsMax = 24;
/**
 * For how long a provider surely remembers a key: 24 hours, less one for calls that land late and clocks that disagree.
 * @see https://docs.stripe.com/api/idempotent_requests
 */
export const providerMemoryMs = 23 * 3_600_000;
/** Effects on one record within an hour whose results are written: beyond them reactions wake each other. */
export const effectsPerHourMax = 60;
/** How soon a reaction that operators have paused is looked at again. */
export const reactionPausedMs = 300_000;
/** Characters of JSON that an entry keeps of what a run has got done, for the next one to go on with. */
export const progressCharactersMax = 2_048;
/** Characters that are kept of why an attempt failed. */
export const reactionDetailMax = 200;
/** Records of a page of a scan that sets entries, and how long one part of it goes on. */
export const reactionScanPage = 100;
export const reactionScanMs = 4_000;

// Content
/**
 * Bytes that are fetched by one call, and the size of a part of what is larger: the largest object (5,000 MiB) has 313 parts,
 * of which S3 takes 10,000 and Blob Storage 50,000.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
 * @see https://learn.microsoft.com/azure/storage/blobs/scalability-targets
 */
export const pullBodyBytesMax = 16 * 1024 * 1024;
export const pullPartBytes = 16 * 1024 * 1024;
/** Parts of one object that are fetched side by side; each may be as large in memory. */
export const pullPartsAtOnce = 4;
/** The longest pause between two attempts to fetch bytes: whoever has them may be away for days. */
export const holdPauseMaxMs = 300_000;
/**
 * How far ahead what only others can do something about stands in the index: it is looked at, and each look is a write.
 */
export const crossingLookMs = 3_600_000;

// Contents of records
/** Keys that one question about contents that are not everywhere reads; beyond them the answer says "at least". */
export const contentKeysMax = 1_000;
/** Entries of the index that it looks at to find them, and how many at a time: other reactions stand there too. */
export const contentEntriesMax = 10_000;
export const contentEntriesPage = 1_000;
/**
 * How often a site takes its inventory. A look at an object is a call of its storage: at S3 0.40 USD for a million
 * (https://aws.amazon.com/s3/pricing/), and what is removed there says so by an event at once.
 */
export const inventoryEveryMs = 24 * 3_600_000;
/** One that has said nothing for so long is begun again: its message was lost, or is among the dead letters. */
export const inventoryAgainMs = 3 * 3_600_000;
/** Steps of one inventory, one after the other: beyond them it is ended, whatever its messages say. */
export const inventoryStepsMax = 100_000;
/** Records, and names of a storage, that it asks for at a time. */
export const inventoryPage = 100;
export const inventoryNamesPage = 500;
/** Objects that it asks for side by side. */
export const inventoryAtOnce = 8;
/** Bytes that one call reads to compare them. */
export const inventoryReadBytes = 16 * 1024 * 1024;
/** Keys that it names as examples of what it has found. */
export const inventoryExamplesMax = 20;
/** Accounts whose sums one inventory makes; the next goes on with others. With their keys 60 kB of a message. */
export const inventoryAccountsMax = 500;
/** What was changed less than so long before an inventory began is not judged by it: clocks, and what is under way. */
export const inventorySettleMs = 5 * 60_000;
/** Uploads that stand in the conflict log and that an inventory keeps in mind: 30 kB of a message. Beyond them it removes none. */
export const inventoryConflictsMax = 2_000;
/** How long bytes stay that were replaced or whose record was deleted, and uploads that were never completed. */
export const replacedKeptMs = 24 * 3_600_000;
export const uploadKeptMs = 7 * 24 * 3_600_000;
/** Until when an upload may be completed: a day before it may be removed, so that none is acknowledged and gone. */
export const uploadCompletedMs = uploadKeptMs - 24 * 3_600_000;
/** Nothing is removed from a storage while a peer was not heard for so long: it may know of a use that has not crossed. */
export const inventoryHeardMs = 3_600_000;

// Expiry and deletes
/** Tombstones and expired records outlive any message: 30 days. */
export const horizonMs = 30 * 24 * 3_600_000;
/** What a site holds a tombstone for longer than the horizon before it is removed: more than clocks ever disagree. */
export const tombstoneMarginMs = 24 * 3_600_000;
/**
 * What was erased stays named for longer than anything lives that holds it as it was: dead letters of both clouds, the conflict
 * log, and every file of an archive, which is there for 365 days at most (infra/aws/features.cjs). 400 days.
 */
export const erasedKeptMs = 400 * 24 * 3_600_000;
/** Erasures that one search of a site is for: their names fit a message. The others are in the next one. */
export const erasuresSoughtMax = 200;
/** Records that two people had written, which one search goes after in the conflict log. */
export const erasureToldMax = 300;
/** What a queue had accepted when a site was found clean has been applied so long after it. */
export const erasureSettleMs = 60_000;

// Places
/**
 * How long a site has known a declaration of `sites` before it removes what it keeps no more: whatever began under the one
 * before has ended by then. Lambda ends an invocation after 15 minutes at the latest, ours after one
 * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html), Functions after `functionTimeout` of `host.json`,
 * five minutes, by a restart of the worker (https://learn.microsoft.com/azure/azure-functions/functions-scale#timeout). The
 * rest is for the update itself, which reaches the functions of a site one after the other.
 */
export const placesSettleMs = 2 * 3_600_000;
/** How long the cursor of a comparison stands at home: a search that is slower begins with the first record again. */
export const cursorKeptMs = 15 * 60_000;

// Conflicts
/** How long an entry of the conflict log stands: 90 days. */
export const conflictKeptMs = 90 * 24 * 3_600_000;

// Indexes
/** Indexes of all entities of an application, as a site's own heartbeat names them: at most 16 kB of it. */
export const indexesKnownMax = 200;
/** Lost races on one record before it is left to those who write it, who enter it in its indexes. */
export const rewriteAttemptsMax = 5;
/** What a release before wrote while it was being replaced is there when the filling begins. */
export const indexFillDelaySeconds = 60;
/** A filling that has not ended after so long is begun again: its message was lost, or is among the dead letters. */
export const indexFillAgainMs = 6 * 3_600_000;

// Anti-entropy
/** How long one step of a comparison scans before it leaves the rest to the next. */
export const compareStepMs = 20_000;
/**
 * Steps of one side of a comparison, one after the other: beyond them it is ended, whatever its messages say. Lambda's
 * own bound of 16 is off for the function that takes them (`serverless.aws.yml`). Filling an empty site takes the most,
 * three for about 400 records: this is enough for 26 million, and costs some 25 USD should it ever be used up in vain.
 */
export const compareHopsMax = 200_000;
/** Records that one page of a comparison's scan asks for. */
export const comparePageSize = 500;
/** What was under way during a comparison arrives meanwhile; only what still differs after it is a difference. */
export const compareGraceSeconds = 30;
/** Keys of records that differ, as text, in one message: what they may grow by with one more page still fits. */
export const offerCharactersMax = 60_000;
export const offerPageSize = 200;
/** Keys that a comparison names as examples of what differs. */
export const compareExamplesMax = 20;
/** What ceased to exist so much less than a horizon ago is not compared: sites remove it each in their own time. */
export const compareMarginMs = 24 * 3_600_000;
