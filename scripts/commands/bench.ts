/** Measurements, each with its aims. A new one is a declaration here and a module in scripts/bench/. */
import { command, type CommandContext, type Group } from '@tandem-clouds/command-line/command';
import { choice, decimal, file, flag, folder, whole } from '@tandem-clouds/command-line/option';

/** Writes a second. */
const RATE_MIN = 0.1;

const JSON_OPTION = { json: flag('the report as one JSON object') };
const COUNT = { min: 1 } as const;
const ROUNDS = 'so often; the median counts';
const PROFILE = { profile: folder('where processor profiles go', {}) };

export const bench: Group<CommandContext> = {
  name: 'bench',
  summary: 'what is fast and what is not, against others in one run',
  commands: [
    command({
      name: 'bench lag',
      summary: 'how long until a write is readable at the other cloud, both ways at once, at a steady rate',
      details: 'Without --stack it starts a stack of its own, with data in memory, and stops it afterwards.',
      options: {
        rate: decimal('writes a second, each way', { min: RATE_MIN, default: '50' }),
        seconds: whole('how long', { ...COUNT, default: '60' }),
        warmUp: whole('seconds before it counts', { min: 0, default: '10' }),
        stack: file('a stack that runs, or its folder', {}),
        ...JSON_OPTION,
      },
      examples: [{ line: 'bench lag --seconds 10', shows: 'a short one' }],
      run: async (input) => (await import('../bench/lag.ts')).benchLag(input),
    }),
    command({
      name: 'bench reactions',
      summary:
        'how long until a change is acted on, against how long until the other cloud has it, in one run',
      details:
        'A stack of its own, with data in memory, of a copy of the project that has an entity with a reaction.',
      options: {
        rate: decimal('changes a second, at each site', { min: RATE_MIN, default: '10' }),
        seconds: whole('how long', { ...COUNT, default: '60' }),
        warmUp: whole('seconds before it counts', { min: 0, default: '10' }),
        ...JSON_OPTION,
      },
      examples: [{ line: 'bench reactions --seconds 10', shows: 'a short one' }],
      run: async (input) => (await import('../bench/reactions.ts')).benchReactions(input),
    }),
    command({
      name: 'bench orders',
      summary:
        'orders a second at one site and at both, until they are paid, against bare puts of the same records',
      details: 'A stack of its own, with data in memory.',
      options: {
        orders: whole('of each measurement', { ...COUNT, default: '300' }),
        lanes: whole('orders under way at once, at each site', { ...COUNT, default: '8' }),
        articles: whole('that they are of', { ...COUNT, default: '50' }),
        ...JSON_OPTION,
      },
      examples: [{ line: 'bench orders --orders 50', shows: 'a short one' }],
      run: async (input) => (await import('../bench/orders.ts')).benchOrders(input),
    }),
    command({
      name: 'bench objects',
      summary:
        'what a site fetches of its peer, against a bare copy with the same SDKs; until both hold it; memory by size',
      details: 'A stack of its own, with data on disk.',
      options: {
        objects: whole('of a backlog', { ...COUNT, default: '300' }),
        size: whole('bytes of each; a second backlog has 4,096', { ...COUNT, default: '1000000' }),
        rate: decimal('uploads a second at each site, while times are measured', {
          min: RATE_MIN,
          default: '4',
        }),
        seconds: whole('how long that goes on', { ...COUNT, default: '20' }),
        largest: whole('MiB of the largest upload', { ...COUNT, default: '1024' }),
        ...JSON_OPTION,
      },
      examples: [{ line: 'bench objects --objects 50 --largest 64', shows: 'a short one' }],
      run: async (input) => (await import('../bench/objects.ts')).benchObjects(input),
    }),
    command({
      name: 'bench http',
      summary: 'processor time per request of our HTTP stack, against Hono, Fastify and a bare function',
      options: {
        rounds: whole(ROUNDS, { ...COUNT, default: '60' }),
        requests: whole('of a round', { ...COUNT, default: '2000' }),
        ...PROFILE,
        ...JSON_OPTION,
      },
      examples: [{ line: 'bench http --rounds 10', shows: 'a short one' }],
      run: async (input) => (await import('../bench/http.ts')).benchHttp(input),
    }),
    command({
      name: 'bench bridge',
      summary: 'events a second through forward and apply, against a bare pipe of the same SDK calls',
      options: {
        events: whole('of a round', { ...COUNT, default: '2000' }),
        rounds: whole(ROUNDS, { ...COUNT, default: '7' }),
        ...PROFILE,
        ...JSON_OPTION,
      },
      examples: [{ line: 'bench bridge --events 500 --rounds 3', shows: 'a short one' }],
      run: async (input) => (await import('../bench/bridge.ts')).benchBridge(input),
    }),
    command({
      name: 'bench catch-up',
      summary: "how long a site takes to send what its peer missed, under the services' budgets",
      options: {
        from: choice('the cloud that has the backlog', ['aws', 'azure'], { default: 'aws' }),
        keys: whole('of the backlog', { min: 1_000, default: '200000' }),
        live: whole('writes a second meanwhile', { ...COUNT, default: '10' }),
        baseline: whole('seconds without a backlog, before it and after it', { min: 5, default: '30' }),
        // https://learn.microsoft.com/azure/cosmos-db/serverless-performance
        requestUnits: whole('a second that Cosmos DB grants: as a serverless container', {
          min: 100,
          default: '5000',
        }),
        // https://learn.microsoft.com/azure/service-bus-messaging/service-bus-throttling
        credits: whole('a second that Service Bus grants: as a namespace of the Standard tier', {
          min: 20,
          default: '1000',
        }),
        virtual: flag('on virtual time: what the algorithms wait for, without a processor'),
        ...JSON_OPTION,
      },
      examples: [
        { line: 'bench catch-up --keys 4000 --baseline 5', shows: 'a short one' },
        { line: 'bench catch-up --from azure --virtual', shows: 'the other direction, in two minutes' },
      ],
      run: async (input) => (await import('../bench/catch-up.ts')).benchCatchUp(input),
    }),
    command({
      name: 'bench compare',
      summary: 'what it takes to compare two sites: time, and the bytes that cross',
      options: { records: whole('at each site', { ...COUNT, default: '100000' }), ...JSON_OPTION },
      examples: [{ line: 'bench compare --records 10000', shows: 'a short one' }],
      run: async (input) => (await import('../bench/compare.ts')).benchCompare(input),
    }),
    command({
      name: 'bench backup',
      summary:
        'a full backup of a site and its restore into an empty one on the other cloud: time, and how it grows',
      details: 'With one object for fifty records.',
      options: { records: whole('of the site', { min: 100, default: '100000' }), ...JSON_OPTION },
      examples: [{ line: 'bench backup --records 10000', shows: 'a short one' }],
      run: async (input) => (await import('../bench/backup.ts')).benchBackup(input),
    }),
    command({
      name: 'bench bundle',
      summary: 'size and loading time of the functions, as the service definitions build them',
      options: {
        runs: whole('loads of each', { ...COUNT, default: '9' }),
        packages: flag('name, for every bundle, the packages that weigh most'),
        ...JSON_OPTION,
      },
      examples: [{ line: 'bench bundle --packages', shows: 'what a bundle is made of' }],
      run: async (input) => (await import('../bench/bundle.ts')).benchBundle(input),
    }),
    command({
      name: 'bench telemetry',
      summary:
        'what traces, metrics and logs cost a function, with a collector that takes them and with some that do not',
      details: 'It starts a stack of its own, with data in memory, and stops it afterwards.',
      options: {
        seconds: whole('with each collector', { ...COUNT, default: '60' }),
        runs: whole('loads of the bundle, with and without', { ...COUNT, default: '15' }),
        ...JSON_OPTION,
      },
      examples: [
        { line: 'bench telemetry --seconds 5', shows: 'a short one' },
        { line: 'bench telemetry --seconds 600', shows: 'ten minutes with each collector' },
      ],
      run: async (input) => (await import('../bench/telemetry.ts')).benchTelemetry(input),
    }),
    command({
      name: 'bench start',
      summary:
        'how long npm start takes until both sites are ready, and until they serve what is saved, against processes that do next to nothing',
      options: {
        runs: whole(ROUNDS, { ...COUNT, default: '5' }),
        changes: whole('of each kind that are saved in a round, after a first one', { min: 0, default: '2' }),
        against: folder('another checkout, with its dependencies, that is measured in turns', {}),
        ...JSON_OPTION,
      },
      examples: [{ line: 'bench start --runs 1 --changes 1', shows: 'a short one' }],
      run: async (input) => (await import('../bench/start.ts')).benchStart(input),
    }),
    command({
      name: 'bench worker',
      summary: "what Microsoft's Node worker takes to load the packaged Azure app",
      details: 'TANDEM_FUNCTIONS_WORKER is a built checkout of the worker; npm run package comes first.',
      options: { runs: whole('loads of each', { ...COUNT, default: '5' }), ...JSON_OPTION },
      examples: [{ line: 'bench worker --runs 3', shows: 'a short one' }],
      run: async (input) => (await import('../bench/worker.ts')).benchWorker(input),
    }),
    command({
      name: 'bench cost',
      summary: 'what writes, reads and idle hours use of the services that bill, counted by the emulators',
      options: {
        writes: whole('of each kind', { ...COUNT, default: '200' }),
        record: flag('write what was counted to scripts/cost/usage.json, which cost goes by'),
        ...JSON_OPTION,
      },
      examples: [{ line: 'bench cost --record', shows: 'after a change of what is read or written' }],
      run: async (input) => (await import('../bench/cost.ts')).benchCost(input),
    }),
    command({
      name: 'bench emulators',
      summary: 'how long a process takes to start the emulators, against one that does nothing',
      options: { runs: whole('of each; the median counts', { ...COUNT, default: '9' }), ...JSON_OPTION },
      examples: [{ line: 'bench emulators --runs 3', shows: 'a short one' }],
      run: async (input) => (await import('../bench/emulators.ts')).benchEmulators(input),
    }),
    command({
      name: 'bench sql',
      summary: 'rows a second that are made of records and written, against bare upserts by pg',
      details: "A PostgreSQL of its own, Debian's, which is installed where it is not.",
      options: {
        rows: whole('upserts of a round', { ...COUNT, default: '5000' }),
        rounds: whole(ROUNDS, { ...COUNT, default: '5' }),
        ...JSON_OPTION,
      },
      examples: [{ line: 'bench sql --rows 1000 --rounds 3', shows: 'a short one' }],
      run: async (input) => (await import('../bench/sql.ts')).benchSql(input),
    }),
    command({
      name: 'bench caches',
      summary:
        'how long after a write at one cloud the other cloud’s shared cache is purged, against replication; from which read rate a Redis pays',
      details:
        "A stack of its own, with data in memory, behind a CloudFront and a Front Door of this machine, and with a Redis, Debian's, which is unpacked where it is not; without one, the first part alone.",
      options: {
        rate: decimal('writes a second, at each site', { min: RATE_MIN, default: '5' }),
        seconds: whole('how long', { ...COUNT, default: '30' }),
        reads: whole('reads a second of the second part, at the most', { ...COUNT, default: '100' }),
        records: whole('that are read', { ...COUNT, default: '50' }),
        ...JSON_OPTION,
      },
      examples: [{ line: 'bench caches --seconds 10', shows: 'a short one' }],
      run: async (input) => (await import('../bench/caches.ts')).benchCaches(input),
    }),
    command({
      name: 'bench dns',
      summary: 'queries a second of the local DNS server, against gdnsd and Knot DNS',
      options: {
        rounds: whole(ROUNDS, { ...COUNT, default: '5' }),
        ms: whole('of a round', { ...COUNT, default: '2000' }),
        ...JSON_OPTION,
      },
      examples: [{ line: 'bench dns --rounds 3 --ms 500', shows: 'a short one' }],
      run: async (input) => (await import('../bench/dns.ts')).benchDns(input),
    }),
    command({
      name: 'bench plan',
      summary: 'how long the plan of a large zone takes, against octoDNS',
      options: {
        names: whole('of the zone', { ...COUNT, default: '1000' }),
        rounds: whole(ROUNDS, { ...COUNT, default: '5' }),
        ...JSON_OPTION,
      },
      examples: [{ line: 'bench plan --names 100', shows: 'a smaller zone' }],
      run: async (input) => (await import('../bench/plan.ts')).benchPlan(input),
    }),
  ],
};
