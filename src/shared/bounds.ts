/**
 * Every bound of requests, calls, queues and callers; those of the protocol are beside it. Units are part of a name.
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
/**
 * How long a read then asks the sites that made what is missing, all of them together. A list waits twice as long
 * before it (for the states, then for the index), and the answer must leave within a function's 10 s all the same.
 */
export const readThroughMs = 3_000;
/** Of what such a site answers: Lambda passes on 6 MB at most, with the body as text inside JSON. */
export const readThroughBytesMax = 4 * 1024 * 1024;
/** Of what a handler of a custom route answers. As text inside JSON it takes twice as much at most, which Lambda passes on. */
export const routeAnswerBytesMax = 3_000_000;
/**
 * The longest that a read waits for what its `Prefer: wait` is about, and its pauses between two looks. Less where a function
 * has less: `recordWaitReserveMs` is kept of its time for the last look, and for the answer.
 */
export const recordWaitMs = 10_000;
export const recordPollMs = { first: 50, longest: 500 } as const;
export const recordWaitReserveMs = 2_000;
/** Session tokens that one read may carry. */
export const sessionTokensMax = 16;

/**
 * How many keyed requests a record remembers: the first one, which its id may derive from, and the newest. About 350 bytes
 * each, so that with the largest body (`bodyBytesMax`) they still fit a site's share of an event.
 */
export const requestsRemembered = 16;
/** Ids that the rule of an action may take in one request. */
export const ruleIdsMax = 100;

// Indexes
/** Indexes of one entity: each record has one entry in each of the store's four generic ones. */
export const indexesMax = 4;
/**
 * Of the keys of an entry: what DynamoDB takes for the partition key and the sort key of an index.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
 */
export const indexHashBytesMax = 2_048;
export const indexRangeBytesMax = 1_024;
/** Of a beginning that a list is asked for; of it every character may be five in a key. */
export const prefixCharsMax = 100;

// Pictures
/** Of one as it is sent; a picture of 40 megapixels by a telephone has about 15 MB. */
export const pictureBytesMax = 20_000_000;
export const imagePixelsMax = 40_000_000;
/** For one picture in all its sizes: one of 40 megapixels takes two seconds of a processor. */
export const imageMakeMs = 15_000;
/** Until the library has begun. */
export const imageOpenMs = 10_000;
/** Of WebP, 0 to 100. */
export const thumbnailQuality = 78;
/** Of one product. */
export const picturesPerProductMax = 8;

// What a shop shows
/** Products whose stock is looked up in one request: one read of a row for each at every site. */
export const availabilitySkusMax = 50;
/** As many as are shown as few. */
export const fewUnitsMax = 5;

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
/** The delay doubles with each attempt at a message, up to this; SQS takes 900. */
export const retryDelaySecondsMax = 180;

// Reactions
/** Keys that one question about reactions looks at; beyond them the answer says "at least". */
export const reactionKeysMax = 1_000;
/**
 * A batch of keys begins no effect after so long: one that has begun then (`reactionRunMs`), and the write of its result, end
 * within the time of the batch (`batchHandleMs`).
 */
export const reactionBeginMs = 2_500;

// Operators
/** How long a function of the bridge goes by its last look at what is paused. */
export const pauseCacheMs = 5_000;
/** Keys that the request which ends a pause sends itself; the sweeper sends the rest. */
export const resumeKeysMax = 500;
/** How long it goes on sending: well within the ten seconds of a function. */
export const resumeRunMs = 4_000;

/** Dead letters that one request looks at; beyond them the answer says "at least". */
export const deadLetterScansMax = 1_000;
/** Dead letters that one request replays or discards. */
export const deadLetterSettlesMax = 100;
/** Dead letters that Service Bus hands over at a time. */
export const deadLetterPageSize = 50;
/** How long SQS hides a dead letter that somebody looks at: longer than any function runs. */
export const deadLetterLockSeconds = 60;
/** Ids of dead letters that an answer names for each cause. */
export const deadLetterIdsMax = 10;
/** Azure Resource Manager, which is asked for the counts of a queue: 10 credits of Service Bus for each. */
export const resourceManagerTimeoutMs = 5_000;
export const resourceManagerBytesMax = 64 * 1024;

/** How long one call of a first check may take, and how much of an error its finding keeps. */
export const probeWithinMs = 8_000;
export const probeFindingCharsMax = 1_000;
export const tlsHandshakeMs = 3_000;

/** How long an answer that anybody may ask for, and that costs more than a read, serves all who ask. */
export const responseKeptMs = 1_000;

// Exposure
/** Pending keys that one question looks at; beyond them the answer says "at least". */
export const exposureKeysMax = 1_000;
/**
 * What is allowed for the lag of a global secondary index: there is always a short one, and DynamoDB promises no
 * bound.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-indexes-gsi-replica.html
 */
export const dynamoIndexLagMs = 1_000;

// Calls to dependencies
/** What is kept of a function's time for the answer itself. */
export const responseReserveMs = 500;
/**
 * With the attempts below and those of a write: an answer before a function's 10 s are over. Where one machine is both clouds,
 * and has other work, `TANDEM_STORE_TIMEOUT_MS` says more.
 */
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
/** How long a peer that was never reached may be starting, before that is worth a warning. */
export const peerStartMs = 60_000;
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

// Secrets
/**
 * A secret is read again after five minutes, so a new version is used within them, and for an hour while the vault does not
 * answer. A vault that fails is left alone for ten seconds. What a vault charges for: 0.05 USD for 10,000 reads at AWS, 0.03
 * at Azure, so that a secret costs each warm process at most 0.05 USD a month.
 * @see https://aws.amazon.com/secrets-manager/pricing/
 * @see https://azure.microsoft.com/pricing/details/key-vault/
 */
export const secretStaleMs = 3_600_000;
export const secretFreshness = {
  renewMs: secretStaleMs - 5 * 60_000,
  marginMs: 0,
  retryMs: 10_000,
  timeoutMs: 3_000,
};
/** How long it is remembered that a secret is not there. */
export const secretAbsentMs = 10_000;
/** Between two reads of one secret because its provider refuses it. */
export const secretRefreshPauseMs = 5_000;
/** Names that one process keeps; the one that was used longest ago goes. */
export const secretsKeptMax = 100;
/** Of one attempt at a vault. */
export const vaultTimeoutMs = 1_500;
/** Shorter values are not looked for in lines of the log: they would be found everywhere. */
export const maskedCharsMin = 8;

// Objects
/**
 * What one call takes at both: Put Blob 5,000 MiB, PutObject 5 GiB.
 * @see https://learn.microsoft.com/rest/api/storageservices/put-blob#remarks
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
 */
export const objectBytesMax = 5_000 * 1024 * 1024;
/** What passes through the memory of a function at a time: a body, or a part. */
export const objectBodyBytesMax = 16 * 1024 * 1024;
/**
 * S3 takes 10,000 parts of at least 5 MiB, but for the last; Blob Storage 50,000 blocks of any size. A thousand of the
 * smallest are the largest object, and one page of S3's list.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
 * @see https://learn.microsoft.com/azure/storage/blobs/scalability-targets
 */
export const objectPartBytesMin = 5 * 1024 * 1024;
export const objectPartsMax = 1_000;
/**
 * S3 counts bytes of UTF-8, Blob Storage characters and what is between slashes.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 * @see https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
 */
export const objectKeyBytesMax = 1_024;
export const objectKeySegmentsMax = 254;
/**
 * Names and values of a writer; with ours they stay below the 2 kB of S3 (Blob Storage: 8 kB).
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */
export const objectMetadataBytesMax = 1_024;
/** Of a content type, a cache rule, or a disposition. */
export const objectHeaderCharsMax = 512;
/** A page of S3; Blob Storage has 5,000. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
export const objectPageMax = 1_000;
/**
 * How long a signed URL is good. It ends with the credentials of whoever signed it: a Lambda function's are good for hours,
 * a delegated key is held for at least this much longer (`delegatedKey`).
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
 */
export const signedUrlSeconds = 300;
export const signedUrlSecondsMax = 3_600;
/** The key that signs URLs at Azure. Seven days are the most: it is renewed long before. */
export const delegatedKeyMs = 24 * 3_600_000;
export const delegatedKeyFreshness = {
  renewMs: delegatedKeyMs / 2,
  marginMs: signedUrlSecondsMax * 1_000,
  retryMs: 10_000,
  timeoutMs: 5_000,
};
/** What is allowed for the clocks of a site and of its storage. */
export const storageClockToleranceMs = 5 * 60_000;
/** When the other sites fetch the bytes of an object, after it was completed, and by when they should have them. */
export const objectFetchSeconds = { afterSeconds: 0, withinSeconds: 300 } as const;
/** Sites that a record may name as holding its bytes, those of an upload that was replaced among them. */
export const claimsMax = 40;
/** An object whose bytes are in the body of a request, before base64. */
export const objectInlineBytesMax = 64 * 1024;
/** What a function reads to compare bytes that no storage has compared. */
export const objectReadToVerifyBytesMax = 64 * 1024 * 1024;
/** Of one attempt at a call, a body or a part with it. */
export const objectTimeoutMs = 15_000;
/** Of a copy of the largest at Azure, which answers when it is done; S3 begins to answer at once. */
export const objectCopyMs = 60_000;
/** Within a read: how long no byte may come, how often it is continued, and the first pause before that, which doubles. */
export const objectStallMs = 5_000;
export const objectResumesMax = 4;
export const objectResumePauseMs = 50;

/** All bytes of a body or a part from another site: 0.8 MB a second at least. What is slower is tried again. */
export const objectFetchMs = 20_000;
/**
 * A batch of `tandem-objects`. How many keys are worked on at a time, and how many bodies or parts of 16 MiB are in memory
 * then, of all keys together; after how long nothing is begun any more; and how long its handler may take in all, on Azure by itself and on AWS by the function's time-out of 60 s:
 * what was begun last, a body from a peer into this site's storage, ends within that, or is tried again.
 * The lock of the queue on Azure lasts for two such batches (`batchLockMs`): five minutes.
 */
export const transferKeysAtOnce = 8;
export const transferBodiesAtOnce = 2;
export const transferBeginMs = 25_000;
export const transferHandleMs = 50_000;

// Calling other services
/** What a handler does not say (`OutboundRequest`): within a function's 10 s there is time left for the answer. */
export const outbound = {
  attemptMs: 3_000,
  totalMs: 7_000,
  attemptsMax: 3,
  bodyBytesMax: 1024 * 1024,
} as const;
/** What a handler may say at most. Lambda ends a function after 15 minutes. */
export const outboundMost = {
  attemptMs: 60_000,
  totalMs: 600_000,
  attemptsMax: 10,
  bodyBytesMax: 16 * 1024 * 1024,
} as const;
/** The pause before the first retry, doubled for each further one; of it a random part. */
export const outboundPauseMs = 100;
export const outboundPauseMaxMs = 5_000;
/** Redirections within one origin. */
export const outboundRedirectsMax = 3;

// Metrics of one's own
/**
 * CloudWatch asks 0.30 USD a month for each name with each set of dimension values that was seen in it, so one process makes
 * no more of them than this; what comes then is counted under the name alone.
 * @see https://aws.amazon.com/cloudwatch/pricing/
 */
export const ownSeriesMax = 50;
export const ownDimensionsMax = 3;
export const ownDimensionCharsMax = 64;

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
/** What an instance may grant a caller by itself, of the limit; and what it takes out of the site's bucket at a time. */
export const pocketShare = 0.05;
export const leaseShare = 0.1;
/** For how long it keeps what it took. */
export const leaseMs = 1_000;
/** Instances that take from one bucket at the same time: so often it is tried, and then refused. */
export const leaseAttemptsMax = 4;
/** Callers that an instance knows of, the latest. */
export const callersKept = 1_000;
/** A bucket that nobody has taken from for so long is full anyway. */
export const limitKeptSeconds = 3_600;
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
/** After so long the holds of a row are looked through: a function that stood still may have made one for an order that is over. */
export const holdsLookMs = 30 * 60_000;
/**
 * How long after an order's birth a payment may be created or confirmed. The provider forgets keys after 24 hours, so
 * this leaves four for calls that land late, functions that stand still and clocks that disagree.
 * @see https://docs.stripe.com/api/idempotent_requests
 */
export const chargeWithinMs = 20 * 3_600_000;
/**
 * A lookup at a provider may be so far behind: as a rule a minute, longer during an outage.
 * @see https://docs.stripe.com/api/payment_intents/search
 */
export const lookupBehindMs = 3_600_000;
/** From this age on, a payment that a lookup does not find does not exist: creation ended long enough before. */
export const absenceProvenMs = 24 * 3_600_000;
/** Keys of an order at its provider, each used once the one before it is spent: after three failures it is not paid at all. */
export const paymentKeysMax = 3;
/** How long an order leaves an open payment to the site that claimed it before it cancels that payment. */
export const paymentYieldMs = 60_000;
/** Of one call of a payment provider: `create` makes three, which must end within a function's ten seconds. */
export const paymentTimeoutMs = 3_000;
/** Of an answer of Stripe: a page of a hundred movements with what each is about takes some hundred kB. */
export const paymentAnswerBytesMax = 4 * 1024 * 1024;
/** Movements of a balance that one list gives. */
export const balanceEntriesMax = 10_000;
/** Of a webhook; the providers' own are a few kB. */
export const webhookBytesMax = 256 * 1024;
/** How old a signature may be. @see https://docs.stripe.com/webhooks#replay-attacks */
export const webhookToleranceSeconds = 300;
/** Movements that one reconciliation looks at: those that are missing are written within a function's ten seconds. */
export const ledgerEntriesMax = 100;
/** What it takes at first at a time; less where more than that has moved. */
export const ledgerSpanMs = 86_400_000;
/** Movements that one answer about the books is made of. */
export const ledgerMovementsMax = 1_000;
/** An event about an order that is not here comes again until it is so old: a site may be behind another for as long. */
export const orderArrivesMs = 3_600_000;
/** How far back a charge is looked for where a provider has no search by key: three times the 31 days that PayPal takes. */
export const paymentLookupMs = 93 * 86_400_000;
/** PayPal shows a transaction after three hours at most; further behind, absence proves nothing. */
export const paymentReportLagMs = 4 * 3_600_000 - 60_000;
/** Lines of an order, and units of one: with them an order fits an event, and a run of its reservation into its time. */
export const orderLinesMax = 20;
export const orderUnitsMax = 1_000;
/** What a provider charges at once, in minor units. @see https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts */
export const orderAmountMax = 99_999_999;
/** How long an order that finds too little here waits for what other sites seem to have, and how often it looks. */
export const stockWaitMs = 3_000;
export const stockLookMs = 250;
/** How long the goods of an order are reserved without its being paid for, and how long it may then be about to be paid. */
export const reservedMs = 15 * 60_000;
export const payingMs = 60 * 60_000;
/** A payment that waits for its customer is looked at again after this time at first, and after the second one at last. */
export const paymentLookMs = 5_000;
export const paymentLookMaxMs = 10 * 60_000;
/** One that is to be voided, and of which the provider does not know yet whether it exists, at last after this time. */
export const voidLookMaxMs = 60 * 60_000;
/** A customer's own wish to have a payment looked at is heard once in so long: of 60 effects an hour it takes half. */
export const paymentCheckMs = 2 * 60_000;
/** When a site asks for more of an article, and for how much at once at most. */
export const restockBelowUnits = 8;
export const restockUnitsMax = 1_000;
/** A record is given a value that it has reserved within this time, or reserves it again. */
export const reservationFreshMs = 20_000;
/**
 * For so long a reservation counts although its record does not hold the value: the record may be about to. More than
 * `reservationFreshMs` and the longest that a call to a store takes effect after it was made.
 */
export const reservationGraceMs = 60_000;
/** Attempts at a reservation while others claim the same value, and at a write while others change its record. */
export const reservationAttemptsMax = 10;
/** Attempts at a hold while others change the same row. */
export const reserveAttemptsMax = 10;

// Analytics
/** Points of one answer: minutes and hours, and days. */
export const analyticsPointsMax = 1_500;
export const analyticsDaysMax = 400;
/** Earlier moments are in no shop; since then every time zone is whole quarters of an hour away from UTC. */
export const analyticsFromMs = Date.UTC(2000, 0, 1);
/** Happenings that one answer counts anew, and those of one query of the index. */
export const countReadsMax = 20_000;
export const countPage = 200;
/**
 * A mark that is hardly older than this stands for another one of the same minute. It is taken away by nobody who has counted
 * before it stood so long: longer than an index lags, and than the clocks of one site are apart.
 */
export const countMarkFreshMs = 1_000;
export const countSettleMs = 120_000;
/** Attempts at a mark while others write it. */
export const countAttemptsMax = 10;

// Writers
/** After a site has closed: longer than a put with its attempts takes. A process that stands still for longer may land one. */
export const writerSettleMs = 30_000;
/** How long a promotion waits until what the site before wrote is sent; and until it is compared. How often it looks. */
export const writerDrainMs = 300_000;
export const writerCompareMs = 1_800_000;
export const writerPollMs = 2_000;

// Notifications
/** Of one mail, from the connection to the answer: less than an effect may take (`reactionRunMs`), so that its end is known. */
export const mailMs = 6_000;
/** Of one SMS, the question whether its recipient wants any and a second attempt included: less than an effect may take, too. */
export const smsMs = 6_000;
/** How long a notification's own key is used, counted from its creation: a minute less than the provider knows it. */
export const smsKeyMs = 240_000;
/** SMS that one text may be: what is longer is not sent. */
export const smsPartsMax = 2;
/** Characters of what begins each SMS: who writes. */
export const smsNameMax = 20;
/** Refunds of one order that its customer is written about one by one; the last mail about them is that all is paid back. */
export const refundMailsMax = 10;
/** After so many soft bounces an address gets nothing more. */
export const softBouncesMax = 5;
/** Octets of an address: RFC 5321, section 4.5.3.1.3, less its brackets. */
export const mailAddressMax = 254;

// Tables in PostgreSQL
/** Of one process: a batch of the queue has ten messages. */
export const sqlConnectionsMax = 4;
/** Opening a connection, and one statement on it, take less than a run of a reaction may (`reactionRunMs`). */
export const sqlConnectMs = 3_000;
export const sqlStatementMs = 4_000;
/** After so long a connection that nothing uses is closed: a function may be frozen, and the other side forgets it. */
export const sqlIdleMs = 10_000;
/** RDS takes no other: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html */
export const sqlTokenSeconds = 900;

// Traces, metrics and logs
/** Of what is sent to a collector by OTLP, whatever it is. */
export const otlpBounds = {
  /** For how long an answer waits at most for the collector to take what there is. */
  waitMs: 200,
  /** Failures in a row, after which the collector is left alone for so long; and for how long at most, whatever it asks for. */
  failuresMax: 3,
  restMs: 30_000,
  restMaxMs: 300_000,
  /** So many answers in a row that took longer than this, and it is left alone for so many times as long as the last took. */
  slowMs: 50,
  slowRests: 100,
} as const;
export const traceBounds = {
  /** Spans of one invocation; later ones are not recorded. A span takes about 600 bytes when it is sent. */
  invocationSpansMax: 512,
  /** Spans that wait in memory while the collector takes none, and those of one request to it. */
  bufferedMax: 2_048,
  sendMax: 512,
  linksMax: 32,
  /** Invocations that failed, in traces that are not sampled, which one process sends all the same. */
  failedPerMinuteMax: 60,
} as const;
export const logBounds = {
  /** Lines that wait in memory while the collector takes none, and those of one request to it. */
  bufferedMax: 1_024,
  sendMax: 256,
  /** Of one line as it is sent, in UTF-16 units; what is longer is sent with its message alone, cut. */
  lineCharsMax: 8_192,
} as const;
/**
 * Of one call of the Logs Ingestion API: https://learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits#logs-ingestion-api.
 * It takes 1 MB (1,048,576 bytes); the rest is for the brackets.
 */
export const centralLogsBytesMax = 1_000_000;
/** How long Entra may take for a token. */
export const entraTimeoutMs = 3_000;
export const meterBounds = {
  /** What one process has measured is sent by the first invocation that ends so long after the last time. */
  everyMs: 5_000,
  /** Sets of a name and its attributes that one process makes between two sendings; the rest has no attributes. */
  seriesMax: 500,
} as const;

// The archive
/** Characters of records before they are compressed, after which a file of an archive ends. */
export const archiveFileBytes = 8 * 1024 * 1024;
/** Records of one part of a full backup, at most. */
export const archivePartRecords = 2_000;
/** How long one write to it may take beside what goes to the peers, signing in included. */
export const archiveWriteMs = 3_000;
/** How long a storage that failed is not written to: twice as long each time, up to the second. */
export const archiveRestMs = 10_000;
export const archiveRestMaxMs = 300_000;
/** How long one run of a backup goes on; a function has five minutes. */
export const archiveRunMs = 240_000;
/** A daily full begins when the one before began so long ago: less than a day, because timers are not exact. */
export const archiveDailyMs = 23.5 * 3_600_000;
/** A full is a weekly one when the weekly one before began so long ago. */
export const archiveWeeklyMs = 6.9 * 24 * 3_600_000;
/** A full that is not complete after so long is given up, and another begins. */
export const archiveFullMaxMs = 20 * 3_600_000;
/** Files that are read, or objects that are copied, side by side. */
export const archiveAtOnce = 16;
/** A segment of before a full began is in the full, but for clocks that differ by this. */
export const archiveMarginMs = 600_000;
/** Keys that a restore reads and writes in one call, calls side by side, and how often a key is tried. */
export const restoreBatchKeys = 100;
export const restoreBatchesAtOnce = 8;
export const restoreRoundsMax = 8;

/** Seconds for which caches may keep an answer, and again for which they may show it while the site fails. */
export const cacheSecondsMax = 86_400;
/** For how long after its time an answer may be shown while the site fails, where the entity does not say. */
export const cacheStaleSeconds = 300;
/**
 * Surrogate keys of an answer: CloudFront keeps no more of them with an object.
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html
 */
export const cacheKeysMax = 50;
/** How long purges of changes gather before they go together. */
export const cdnGatherMs = 50;
/** Of one request to a cache, its answer included: a reaction has `reactionRunMs`. */
export const cdnTimeoutMs = 5_000;
export const cdnAnswerBytesMax = 65_536;
/** Of a call of the cache beside the store: what takes longer is asked of the store. */
export const cacheCallMs = 50;
/** Of one that tells it of a write: what it misses, others may read for as long as the entity allows. */
export const cacheKeepMs = 250;
/** To connect to it; readers do not wait for that. */
export const cacheConnectMs = 2_000;
/** After so many failures in a row it is not asked for so long. */
export const cacheFailuresMax = 5;
export const cacheBreakMs = 5_000;

// Persons
/** How long a request looks for what a site holds of a person before it leaves the rest to the next; records of one page. */
export const personPageMs = 5_000;
export const personPageSize = 500;
/** Erasures that a site lists, and looks for the open ones among. */
export const erasuresListedMax = 5_000;
