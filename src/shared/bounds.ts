/**
 * Every bound in one place: queues, retries, batches, pages, timeouts. Units are part of a name.
 * Where a vendor sets the limit, the comment says which one.
 */

// Requests
/**
 * API Gateway takes 10 MB and Functions 100 MB; what two sites write at the same time must fit one event when merged
 * (`eventBytesMax`), with its stamps.
 */
export const bodyBytesMax = 112 * 1024;
/**
 * Levels of objects and arrays in a body, itself the first. Cosmos DB takes 128 in a document, of which a record has four
 * around a field's value, and an entry of the conflict log six; DynamoDB takes 32, which counts for nothing that is
 * stored as text.
 * @see https://learn.microsoft.com/azure/cosmos-db/concepts-limits#per-item-limits
 */
export const jsonDepthMax = 100;
/** Levels of a body that carries a replication event, whose fields lie deeper than those of a record. */
export const eventDepthMax = jsonDepthMax + 10;
/** Failed rules that one answer names, and characters of their pointers and sentences: Lambda passes on 6 MB. */
export const failuresMax = 100;
export const failureCharsMax = 64 * 1024;
export const pageSizeMax = 100;
export const pageSizeDefault = 20;
/**
 * Of the records of a page, which ends early at it and has one record at least. Lambda passes on 6 MB, with the body as
 * text inside JSON, where every quote takes two bytes.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const pageBytesMax = 2 * 1024 * 1024;

/** How long a read waits for the state that its session has seen. */
export const sessionWaitMs = 2_000;
/**
 * How long a read then asks the sites that made what is missing, all of them together. A list waits twice as long
 * before it (for the states, then for the index), and the answer must leave within a function's 10 s all the same.
 */
export const readThroughMs = 3_000;
/** Of what such a site answers: Lambda passes on 6 MB at most, with the body as text inside JSON. */
export const readThroughBytesMax = 4 * 1024 * 1024;
/** Session tokens that one read may carry. */
export const sessionTokensMax = 16;
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

/** How many keyed requests a record remembers: the first one, which its id may derive from, and the newest. */
export const requestsRemembered = 8;

// Bridge
/**
 * A batch of a queue: its handler begins nothing after so long and hands back what is left; each of the two sends that
 * may follow (to the dead-letter queue, and on Azure again to the queue itself) is waited for so long, and so is the
 * host that settles the messages. Each peer that a batch is forwarded to has an equal share of the first, so that a silent
 * one takes nothing from the others.
 */
export const batchHandleMs = 12_000;
export const batchSendMs = 6_000;
export const batchSettleMs = 6_000;
/** The most that a batch takes from its delivery until its messages are settled. */
export const batchWorstMs = batchHandleMs + 2 * batchSendMs + batchSettleMs;
/**
 * The Functions host renews no lock of a batch and handles one batch at a time; what arrives meanwhile on credit that the
 * batch before has left waits for it, locked. So the lock of a queue must last for two (infra/azure/parts/queues.json), and
 * nothing may be prefetched (host.json), which would let more batches wait.
 * @see https://learn.microsoft.com/azure/azure-functions/functions-bindings-service-bus#hostjson-settings
 * @see https://github.com/Azure/azure-sdk-for-net/blob/main/sdk/servicebus/Microsoft.Azure.WebJobs.Extensions.ServiceBus/src/Listeners/ServiceBusListener.cs
 */
export const batchLockMs = 2 * batchWorstMs;
/** On Lambda the function's own time-out bounds all of it: what is kept of it for the sends after the handler. */
export const batchReserveMs = 5_000;

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
/** The delay doubles with each attempt at a message, up to this; SQS takes 900. */
export const retryDelaySecondsMax = 180;
/** How often one batch asks again for what the store throttles; each call of a store has a patience of its own. */
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
/** Keys that one run looks at without sending any, most of which may be pending only for a peer that does not answer. */
export const sweepLooksMax = 5_000;
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

// Operators
/** How long a function of the bridge goes by its last look at what is paused. */
export const pauseCacheMs = 5_000;
/** Keys that the request which ends a pause sends itself; the sweeper sends the rest. */
export const resumeKeysMax = 500;
/** How long it goes on sending: well within the ten seconds of a function. */
export const resumeRunMs = 4_000;

/** Dead letters that one request looks at; beyond them the answer says "at least". */
export const letterLooksMax = 1_000;
/** Dead letters that one request replays or discards. */
export const letterSettlesMax = 100;
/** Dead letters that Service Bus hands over at a time. */
export const letterPageSize = 50;
/** How long SQS hides a dead letter that somebody looks at: longer than any function runs. */
export const letterLockSeconds = 60;
/** Ids of dead letters that an answer names for each cause. */
export const letterIdsMax = 10;
/** Azure Resource Manager, which is asked for the counts of a queue: 40 credits of Service Bus for the four. */
export const resourceManagerTimeoutMs = 5_000;
export const resourceManagerBytesMax = 64 * 1024;

/** How long one call of a first check may take, and how much of an error its finding keeps. */
export const probeWithinMs = 8_000;
export const probeFindingCharsMax = 1_000;
export const tlsHandshakeMs = 3_000;

/** How long an answer that anybody may ask for, and that costs more than a read, serves all who ask. */
export const answerKeptMs = 1_000;

// Exposure
/** Pending keys that one question looks at; beyond them the answer says "at least". */
export const exposureKeysMax = 1_000;
/**
 * What is allowed for the lag of a global secondary index: there is always a short one, and DynamoDB promises no
 * bound.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-indexes-gsi-replica.html
 */
export const dynamoIndexLagMs = 1_000;

// Expiry and deletes
/** Tombstones and expired records outlive any message: 30 days. */
export const horizonMs = 30 * 24 * 3_600_000;
/** What a site holds a tombstone for longer than the horizon before it is removed: more than clocks ever disagree. */
export const tombstoneMarginMs = 24 * 3_600_000;

// Conflicts
/** How long an entry of the conflict log stands: 90 days. */
export const conflictKeptMs = 90 * 24 * 3_600_000;

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

// Calls to dependencies
/** With the attempts below and those of a write: an answer before a function's 10 s are over. */
export const storeTimeoutMs = 1_500;
/**
 * How a call of a store meets throttling: for how long it waits in all, and its first and longest pause, unless the store
 * asks for a longer one. What is throttled for longer is reported to the caller. What nobody waits for pauses longer, so
 * that what the store has left goes to live requests first.
 */
export const throttling = {
  live: { waitMs: 2_000, pauseMs: 25, pauseMaxMs: 400 },
  background: { waitMs: 10_000, pauseMs: 250, pauseMaxMs: 2_000 },
} as const;
/** Markers that one call clears at a time, one request each: more would stand in the way of live writes. */
export const clearsAtOnceMax = 25;
/** When to come back to a service that throttles and does not say when. */
export const throttleHintMs = 500;
/**
 * What Service Bus asks for when its credits are used up, in the text of its refusal.
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-throttling
 */
export const busyHintMs = 2_000;
export const queueTimeoutMs = 5_000;
/**
 * A connection to Service Bus that was not used for longer is given up for a new one. The broker closes a link after ten
 * minutes, what lies between may forget a connection after four, and the SDK itself takes one for dead on which it has
 * heard nothing for a minute, which is any on which a function was frozen for so long.
 * @see https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-troubleshoot
 * @see https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-reset
 */
export const connectionIdleMaxMs = 60_000;
export const probeTimeoutMs = 1_000;
export const vendorAttemptsMax = 2;
/** What a client is told to wait after a 503. */
export const retryAfterSeconds = 2;

// Credentials for another cloud
export const credentialFreshness = {
  /** The AWS SDK asks for a new one at that age, too. */
  renewMs: 5 * 60_000,
  /** A request that carries it must still arrive. */
  marginMs: 30_000,
  retryMs: 10_000,
  /** For all the calls that bring one. */
  timeoutMs: 5_000,
};
/** Of the role's session at AWS: the most that a role allows without being told otherwise. */
export const roleSessionSeconds = 3_600;
/** Of the token that AWS signs for Entra; it is exchanged at once. Five minutes are what AWS suggests. */
export const webIdentityTokenSeconds = 300;

// Callers
/** Of a key or a token that a caller presents. */
export const bearerCharsMax = 6_000;
/**
 * Request line and values of headers, without what a platform adds: what API Gateway takes. Functions takes more, and such a request is refused
 * there as well.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
 */
export const headerBytesMax = 10_240;
/**
 * Path and query, percent-encoded. Functions takes 4,096 for the whole URL, so the rest is for scheme and host.
 * @see https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger#limits
 */
export const urlBytesMax = 4_000;
/** How much the clocks of an issuer and of a site may differ. */
export const tokenClockToleranceSeconds = 30;
export const signingKeysKeptMs = 24 * 3_600_000;
/** The keys of an issuer: looked at again every ten minutes, and for a day while the issuer does not answer. */
export const signingKeysFreshness = {
  renewMs: signingKeysKeptMs - 10 * 60_000,
  marginMs: 0,
  retryMs: 30_000,
  timeoutMs: 2_500,
};
/** The pause between two looks for a key that is not among those of an issuer: it may have a new one. */
export const unknownKeyPauseMs = 5_000;
export const signingKeysTimeoutMs = 2_000;
export const signingKeysBytesMax = 64 * 1024;

// Shop
/** Holds of one escrow row at once: it must fit an event (50 bytes each). */
export const holdsMax = 1_000;
/**
 * How long after an order's birth a payment may be created or confirmed. The provider forgets keys after 24 hours, so
 * this leaves four for calls that land late, functions that stand still and clocks that disagree.
 * @see https://docs.stripe.com/api/idempotent_requests
 */
export const chargeWithinMs = 20 * 3_600_000;
/**
 * From this age on, a payment that a lookup does not find does not exist: creation ended four hours ago, and a lookup
 * is at most an hour behind.
 * @see https://docs.stripe.com/api/payment_intents/search
 */
export const absenceProvenMs = 24 * 3_600_000;
/** How long an order leaves an open payment to the site that claimed it before it cancels that payment. */
export const paymentYieldMs = 60_000;
/** Steps of one order in one run; the next run goes on. */
export const orderStepsMax = 8;
/** Attempts at a hold while others change the same row. */
export const reserveAttemptsMax = 10;
