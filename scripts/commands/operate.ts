/** Commands that ask and operate running sites: those of the stack on this machine, or deployed ones. */
import { command, type CommandContext, type Group } from '@tandem-clouds/command-line/command';
import { choice, file, flag, many, text, url, whole } from '@tandem-clouds/command-line/option';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { type Level, LEVELS } from '@tandem-clouds/emulators/otlp/log-line';
import type {
  AnalyticsOptions,
  CommonOptions,
  ConflictOptions,
  DeadLetterOptions,
  LedgerOptions,
  MetricsOptions,
  ObjectOptions,
  ReactionOptions,
  StockOptions,
} from '../operate/options.ts';

const DEFAULT_STACK = '.tandem/stack.json';
const DEFAULT_AUDIT = '.tandem/audit.jsonl';
const LIMIT_MAX = 100;

export const COMMON = {
  stack: file('the stack that runs on this machine, or its folder', { fallback: DEFAULT_STACK }),
  site: many(url('a deployed site instead; name all of them', {})),
  json: flag('one JSON object a line'),
};

export const KEY_NOTE = `The key of an operator is that of the stack, or for deployed sites in the variable TANDEM_OPERATOR_KEY.`;

interface CommonInput {
  readonly stack: string | undefined;
  readonly site: readonly string[];
  readonly json: boolean;
}

export function commonOf({ stack = DEFAULT_STACK, site, json }: CommonInput): CommonOptions {
  return { stack, sites: [...new Set(site)], json };
}

export function checkCommon({ stack, site }: Omit<CommonInput, 'json'>): void {
  if (stack !== undefined && site.length > 0) throw new UsageError('--stack and --site exclude each other');
}

export const status = command({
  name: 'status',
  summary: 'per direction: up to when everything is safe at the other site, and what is not',
  details: KEY_NOTE,
  options: {
    watch: flag('again every second, until Ctrl-C'),
    keys: flag(
      'name the keys at risk, what a site cannot read or write, and (without --watch) what its dead letters are about',
    ),
    ...COMMON,
  },
  examples: [
    { line: 'status --watch', shows: 'the stack of npm start, again every second' },
    {
      line: 'status --site https://a.example --site https://b.example --json',
      shows: 'two deployed sites, for a program',
    },
  ],
  check: checkCommon,
  run: async ({ watch, keys, ...common }, context: CommandContext) => {
    const module = await import('../operate/status.ts');
    return module.status({ command: 'status', watch, keys, ...commonOf(common) }, context);
  },
});

export const consoleOfSites = command({
  name: 'console',
  summary: 'both clouds on one page of this machine, live, with every operation',
  details: `npm start has one of its own, on port 4400. ${KEY_NOTE} It stays in this process; the address that is printed has a code that opens the page.`,
  options: {
    port: whole('where it listens, on 127.0.0.1; 0 picks a free port', {
      min: 0,
      max: 65_535,
      default: '4400',
    }),
    audit: file('what is done is written to, with who and why', { fallback: DEFAULT_AUDIT }),
    ...COMMON,
  },
  examples: [
    {
      line: 'console --site https://a.example --site https://b.example',
      shows: 'two deployed sites',
    },
  ],
  check: checkCommon,
  run: async ({ port, audit = DEFAULT_AUDIT, ...common }, context: CommandContext) => {
    const module = await import('../operate/console.ts');
    return module.serveConsole({ port, audit, ...commonOf(common) }, context);
  },
});

const TRACE_STACK = {
  stack: COMMON.stack,
  json: COMMON.json,
};
const TRACES_NOTE = `Of the stack on this machine, whose last hour is kept. docs/traces.md says where deployed sites send theirs.`;

export const traces: Group<CommandContext> = {
  name: 'traces',
  summary: 'how long what took, from the request to what it made both clouds do',
  commands: [
    command({
      name: 'traces list',
      summary: 'the newest, with how long each took and at which sites',
      details: TRACES_NOTE,
      options: {
        route: text('only those with this in the name of one of their spans', { placeholder: 'text' }),
        minMs: whole('only those that took as long', { min: 0, max: 3_600_000, default: '0' }),
        failed: flag('only those in which something failed'),
        all: flag('also what no request began: timers, and what they send'),
        limit: whole('at most so many', { min: 1, max: 500, default: '20' }),
        ...TRACE_STACK,
      },
      examples: [
        { line: 'traces list --route /write', shows: 'the newest writes of items' },
        { line: 'traces list --failed --all', shows: 'everything in which something failed' },
      ],
      run: async ({ stack = DEFAULT_STACK, ...input }, context: CommandContext) => {
        const module = await import('../operate/traces.ts');
        return module.listTraces({ stack, ...input }, context);
      },
    }),
    command({
      name: 'traces show',
      summary: 'one of them as a waterfall: site, span, when it began and how long it took',
      details: TRACES_NOTE,
      args: { id: text('of the trace, or how it begins', { placeholder: 'id', required: true }) },
      options: TRACE_STACK,
      examples: [{ line: 'traces show 4bf92f35', shows: 'the trace whose id begins like this' }],
      run: async ({ id, stack = DEFAULT_STACK, json }, context: CommandContext) => {
        const module = await import('../operate/traces.ts');
        return module.showTrace(id, { stack, json }, context);
      },
    }),
  ],
};

const LOG_LEVELS = Object.keys(LEVELS) as Level[];

export const logs: Group<CommandContext> = {
  name: 'logs',
  summary: 'what the sites wrote, both clouds in one list',
  commands: [
    command({
      name: 'logs list',
      summary: 'the newest lines, as they were written; of one trace, of one site, with a text',
      details: `Of the stack on this machine, whose last hour is kept. docs/logs.md says where deployed sites send theirs.`,
      options: {
        trace: text('only those of this trace: its id, or how it begins', { placeholder: 'id' }),
        level: choice('only those of this level and above it', LOG_LEVELS, { default: 'trace' }),
        text: text('only those with this in their message or attributes', { placeholder: 'text' }),
        site: text('only those of this site', { placeholder: 'site' }),
        limit: whole('at most so many', { min: 1, max: 500, default: '50' }),
        ...TRACE_STACK,
      },
      examples: [
        { line: 'logs list --trace 4bf92f35', shows: 'what both clouds wrote while they were at this trace' },
        { line: 'logs list --level warn', shows: 'warnings and errors' },
      ],
      run: async ({ stack = DEFAULT_STACK, ...input }, context: CommandContext) => {
        const module = await import('../operate/logs.ts');
        return module.listLogs({ stack, ...input }, context);
      },
    }),
  ],
};

const METRICS_OPTIONS = { stack: COMMON.stack, site: COMMON.site };

function metricsOptionsOf({ stack = DEFAULT_STACK, site }: Omit<CommonInput, 'json'>): MetricsOptions {
  return { stack, sites: [...new Set(site)] };
}

export const metrics: Group<CommandContext> = {
  name: 'metrics',
  summary: 'what the sites know of their replication, for Prometheus',
  commands: [
    command({
      name: 'metrics show',
      summary: 'once, as text',
      details: KEY_NOTE,
      options: METRICS_OPTIONS,
      examples: [{ line: 'metrics show', shows: 'the stack of npm start' }],
      check: checkCommon,
      run: async (input, context: CommandContext) => {
        const module = await import('../operate/metrics.ts');
        return module.showMetrics(metricsOptionsOf(input), context);
      },
    }),
    command({
      name: 'metrics serve',
      summary: 'at /metrics of this machine: each scrape asks the sites',
      details: `Only for this machine, until Ctrl-C. ${KEY_NOTE}`,
      options: {
        port: whole('where it listens, on 127.0.0.1; 0: any that is free', {
          min: 0,
          max: 65_535,
          default: '9464',
        }),
        ...METRICS_OPTIONS,
      },
      examples: [
        {
          line: 'metrics serve --site https://a.example --site https://b.example',
          shows: 'two deployed sites, for the Prometheus beside it',
        },
      ],
      check: checkCommon,
      run: async ({ port, ...input }, context: CommandContext) => {
        const module = await import('../operate/metrics.ts');
        return module.serveMetrics({ port, ...metricsOptionsOf(input) }, context);
      },
    }),
  ],
};

export const promote = command({
  name: 'promote',
  summary: 'which site writes an entity that one site writes at a time: another one from now on',
  details: `Without --yes it says what would be done and changes nothing. ${KEY_NOTE}`,
  args: { entity: text('its name, or all', { placeholder: 'entity', required: true }) },
  options: {
    to: text('the site that is to write', { placeholder: 'site', required: true }),
    lost: text('the site that wrote and does not answer', { placeholder: 'site' }),
    fenced: flag('no request reaches the lost site before it knows who writes'),
    yes: flag('do it'),
    ...COMMON,
  },
  examples: [
    { line: 'promote all --to azure-eastus', shows: 'what would be done' },
    {
      line: 'promote booking --to azure-eastus --lost aws-us-east-1 --fenced --yes',
      shows: 'after the loss of a site',
    },
  ],
  check: checkCommon,
  run: async ({ entity, to, lost, fenced, yes, ...common }, context: CommandContext) => {
    const module = await import('../operate/promote.ts');
    return module.promote(
      { command: 'promote', entity, to, lost, fenced, yes, ...commonOf(common) },
      context,
    );
  },
});

const SENDER = text('the site that sends', { placeholder: 'site', required: true });
const RECEIVER = text('the site that it sends to', { placeholder: 'site', required: true });

export const pauses = (['pause', 'resume'] as const).map((name) =>
  command({
    name,
    summary: {
      pause: 'send nothing more from one site to another; what it lacks is kept and shown',
      resume: 'send again, and at once what has gathered',
    }[name],
    details: KEY_NOTE,
    args: { from: SENDER, to: RECEIVER },
    options: COMMON,
    examples: [
      { line: `${name} aws-us-east-1 azure-eastus`, shows: 'one direction of the stack of npm start' },
    ],
    check: checkCommon,
    run: async ({ from, to, ...common }, context: CommandContext) => {
      const module = await import('../operate/pause.ts');
      return module.pause({ command: name, from, to, ...commonOf(common) }, context);
    },
  }),
);

export const comparisons = (['compare', 'repair', 'backfill'] as const).map((name) =>
  command({
    name,
    summary: {
      compare: 'whether two sites hold the same, and what differs; changes nothing',
      repair: 'compare, and send what either lacks, until a comparison finds nothing',
      backfill: 'fill a new or rebuilt site from another one',
    }[name],
    details: KEY_NOTE,
    args: {
      from: text('the site that begins', { placeholder: 'site', required: true }),
      to: text('the site that it is compared with', { placeholder: 'site', required: true }),
    },
    options: COMMON,
    examples: [
      { line: `${name} aws-us-east-1 azure-eastus`, shows: 'the two sites of the stack of npm start' },
    ],
    check: checkCommon,
    run: async ({ from, to, ...common }, context: CommandContext) => {
      const module = await import('../operate/compare.ts');
      return module.compare({ command: name, from, to, ...commonOf(common) }, context);
    },
  }),
);

const ANY_LOG = text('whose log; any site has the same', { placeholder: 'site' });
const CONFLICT_ID = text('as conflicts list names it', { placeholder: 'id', required: true });

async function runConflicts(
  action: ConflictOptions['action'],
  input: CommonInput & Partial<Omit<ConflictOptions, keyof CommonOptions>>,
  context: CommandContext,
): Promise<number> {
  const { stack, site, json, at, ids = [], limit = LIMIT_MAX, value, note } = input;
  const common = commonOf({ stack, site, json });
  const { conflicts } = await import('../operate/conflicts.ts');
  return conflicts({ command: 'conflicts', action, at, ids, limit, value, note, ...common }, context);
}

export const conflicts: Group<CommandContext> = {
  name: 'conflicts',
  summary: 'writes that lost against one that had not seen them',
  commands: [
    command({
      name: 'conflicts list',
      summary: 'writes that lost, newest first',
      details: KEY_NOTE,
      options: {
        limit: whole('at most so many', { min: 1, max: LIMIT_MAX, default: '20' }),
        at: ANY_LOG,
        ...COMMON,
      },
      examples: [{ line: 'conflicts list --limit 5', shows: 'the five newest' }],
      check: checkCommon,
      run: (input, context: CommandContext) => runConflicts('list', input, context),
    }),
    command({
      name: 'conflicts show',
      summary: 'one of them, with both versions',
      details: KEY_NOTE,
      args: { id: CONFLICT_ID },
      options: { at: ANY_LOG, ...COMMON },
      examples: [{ line: 'conflicts show 7c1', shows: 'what lost, what won, and why' }],
      check: checkCommon,
      run: ({ id, ...input }, context: CommandContext) =>
        runConflicts('show', { ...input, ids: [id] }, context),
    }),
    command({
      name: 'conflicts override',
      summary: 'write the value that lost, or another one',
      details: KEY_NOTE,
      args: { id: CONFLICT_ID },
      options: {
        value: text('this in place of the value that lost', { placeholder: 'json' }),
        note: text('why, for the log', { placeholder: 'text' }),
        at: ANY_LOG,
        ...COMMON,
      },
      examples: [
        { line: `conflicts override 7c1 --value '"Hedy"' --note 'she asked for it'`, shows: 'another value' },
      ],
      check: ({ value, ...common }) => {
        checkCommon(common);
        if (value !== undefined && !isJson(value))
          throw new UsageError('--value: JSON is needed; text is in quotes');
      },
      run: ({ id, ...input }, context: CommandContext) =>
        runConflicts('override', { ...input, ids: [id] }, context),
    }),
  ],
};

const REACTING_SITE = text('the site that is asked; needed unless there is one site only', {
  placeholder: 'site',
});
const OF_ALL = text('one site only; all of them otherwise', { placeholder: 'site' });
const KEY = text('the record, as <entity>:<id>', { placeholder: 'key', required: true });
const REACTION = text('the name of the reaction', { placeholder: 'reaction', required: true });
const ENTITY_REACTION = text('as <entity>.<reaction>', { placeholder: 'reaction', required: true });

async function runReactions(
  action: ReactionOptions['action'],
  input: CommonInput & Partial<Omit<ReactionOptions, keyof CommonOptions>>,
  context: CommandContext,
): Promise<number> {
  const { stack, site, json, at, key = '', reaction = '', lost = '' } = input;
  const common = commonOf({ stack, site, json });
  const module = await import('../operate/reactions.ts');
  return module.reactions({ command: 'reactions', action, at, key, reaction, lost, ...common }, context);
}

export const reactions: Group<CommandContext> = {
  name: 'reactions',
  summary: 'what is done while conditions on records hold, and what could not be done',
  commands: [
    command({
      name: 'reactions list',
      summary: 'what is due, and what is parked and why',
      details: KEY_NOTE,
      options: { at: OF_ALL, ...COMMON },
      examples: [{ line: 'reactions list', shows: 'every site' }],
      check: checkCommon,
      run: (input, context: CommandContext) => runReactions('list', input, context),
    }),
    command({
      name: 'reactions show',
      summary: 'which conditions hold on one record, who runs what, and how far it is',
      details: KEY_NOTE,
      args: { key: KEY },
      options: { at: REACTING_SITE, ...COMMON },
      examples: [{ line: 'reactions show booking:7 --at aws-us-east-1', shows: 'one record at one site' }],
      check: checkCommon,
      run: (input, context: CommandContext) => runReactions('show', input, context),
    }),
    ...(['pause', 'resume'] as const).map((name) =>
      command({
        name: `reactions ${name}`,
        summary: { pause: 'run nothing of it; its conditions are kept', resume: 'run it again' }[name],
        details: KEY_NOTE,
        args: { reaction: ENTITY_REACTION },
        options: { at: OF_ALL, ...COMMON },
        examples: [{ line: `reactions ${name} booking.mail`, shows: 'at every site' }],
        check: checkCommon,
        run: (input, context: CommandContext) => runReactions(name, input, context),
      }),
    ),
    ...(['retry', 'park'] as const).map((name) =>
      command({
        name: `reactions ${name}`,
        summary: {
          retry: 'try it again at once, under the same name, whatever became of it before',
          park: 'do nothing more about it',
        }[name],
        details: KEY_NOTE,
        args: { key: KEY, reaction: REACTION },
        options: { at: REACTING_SITE, ...COMMON },
        examples: [
          {
            line: `reactions ${name} booking:7 mail --at aws-us-east-1`,
            shows: 'one reaction on one record',
          },
        ],
        check: checkCommon,
        run: (input, context: CommandContext) => runReactions(name, input, context),
      }),
    ),
    command({
      name: 'reactions backfill',
      summary: 'run a new reaction for the records that its condition held for before it was declared',
      details: KEY_NOTE,
      args: { reaction: ENTITY_REACTION },
      options: { at: REACTING_SITE, ...COMMON },
      examples: [
        {
          line: 'reactions backfill booking.mail --at aws-us-east-1',
          shows: 'what is the business of one site',
        },
      ],
      check: checkCommon,
      run: (input, context: CommandContext) => runReactions('backfill', input, context),
    }),
    command({
      name: 'reactions take-over',
      summary: 'run what a site has left that is gone for good, and was fenced',
      details: KEY_NOTE,
      args: { lost: text('the lost site', { placeholder: 'site', required: true }) },
      options: { at: REACTING_SITE, ...COMMON },
      examples: [
        { line: 'reactions take-over azure-eastus --at aws-us-east-1', shows: 'after the loss of Azure' },
      ],
      check: checkCommon,
      run: (input, context: CommandContext) => runReactions('take-over', input, context),
    }),
  ],
};

const ANY_SITE = text('one site only; all of them otherwise', { placeholder: 'site' });

async function runObjects(
  action: ObjectOptions['action'],
  input: CommonInput & Partial<Omit<ObjectOptions, keyof CommonOptions>>,
  context: CommandContext,
): Promise<number> {
  const { stack, site, json, at, id = '', read = false } = input;
  const common = commonOf({ stack, site, json });
  const module = await import('../operate/objects.ts');
  return module.objects({ command: 'objects', action, at, id, read, ...common }, context);
}

export const objects: Group<CommandContext> = {
  name: 'objects',
  summary: 'bytes beside records: whether the storages have them, and where one of them is',
  commands: [
    command({
      name: 'objects check',
      summary: 'compare the records of each site with its storage now; what is missing is fetched again',
      details: `A site does so by itself once a day. ${KEY_NOTE}`,
      options: { read: flag('read all bytes too, and compare their CRC'), at: ANY_SITE, ...COMMON },
      examples: [{ line: 'objects check --at aws-us-east-1', shows: 'one site, with progress' }],
      check: checkCommon,
      run: (input, context: CommandContext) => runObjects('check', input, context),
    }),
    command({
      name: 'objects show',
      summary: 'what each site knows of one object: which upload, who holds it, who lacks it',
      details: KEY_NOTE,
      args: {
        id: text('the id of an object, or <entity>:<id>', { placeholder: 'id', required: true }),
      },
      options: { at: ANY_SITE, ...COMMON },
      examples: [{ line: 'objects show 7kq', shows: 'object 7kq, at every site' }],
      check: checkCommon,
      run: (input, context: CommandContext) => runObjects('show', input, context),
    }),
  ],
};

const LEDGER_NOTE = `Deployed sites take TANDEM_TOKEN, a token or the key of a service with the scope shop/ledger.`;
const MOMENT = text('from when on, such as 2026-11-01 or 2026-11-01T08:00:00Z', { placeholder: 'time' });
const END = text('until before when', { placeholder: 'time' });
const PROVIDER = choice('whose movements; those of both unless it is said', ['stripe', 'paypal'], {});
const RECONCILED_DAYS = 30;
const DAY_MS = 86_400_000;

type LedgerInput = CommonInput & Partial<Pick<LedgerOptions, 'from' | 'to' | 'at' | 'provider' | 'output'>>;

async function runLedger(
  action: LedgerOptions['action'],
  input: LedgerInput,
  context: CommandContext,
): Promise<number> {
  const { stack, site, json, at, provider, output } = input;
  const isReconciled = action === 'reconcile';
  const from =
    momentOf(input.from) ?? (isReconciled ? isoOf(Date.now() - RECONCILED_DAYS * DAY_MS) : undefined);
  const to = momentOf(input.to) ?? (isReconciled ? isoOf(Date.now()) : undefined);
  const { ledger: run } = await import('../operate/ledger.ts');
  const common = commonOf({ stack, site, json });
  return run({ command: 'ledger', action, from, to, at, provider, output, ...common }, context);
}

const isoOf = (ms: number): string => new Date(ms).toISOString();

function momentOf(given: string | undefined): string | undefined {
  return given === undefined ? undefined : isoOf(Date.parse(given));
}

function checkLedger(input: LedgerInput): void {
  checkCommon(input);
  const { from, to } = input;
  for (const [name, given] of Object.entries({ from, to }))
    if (given !== undefined && Number.isNaN(Date.parse(given)))
      throw new UsageError(`--${name}: '${given}' is no time; write 2026-11-01 or 2026-11-01T08:00:00Z`);
  if (from !== undefined && Date.parse(from) >= (to === undefined ? Infinity : Date.parse(to)))
    throw new UsageError('--from is not before --to');
}

type AnalyticsInput = CommonInput &
  Partial<Pick<AnalyticsOptions, 'from' | 'to' | 'step' | 'at' | 'check'>> & {
    readonly timeZone?: string | undefined;
  };

function checkAnalytics(input: AnalyticsInput): void {
  checkLedger(input);
  if (input.check === true && (input.step !== undefined || input.timeZone !== undefined))
    throw new UsageError('--check goes by minutes: leave --step and --time-zone out');
}

export const analytics = command({
  name: 'analytics',
  summary: 'orders, revenue by currency and sign-ups by time, per site and together',
  details:
    'The last hour by minutes unless it is said. --check recounts all orders and users of the site and names every difference; exit status 1: there are some. Deployed sites take TANDEM_TOKEN, with the scope shop/analytics, and for --check tandem/read and tandem/any-owner.',
  options: {
    from: MOMENT,
    to: END,
    step: choice('how long a step is', ['minute', 'hour', 'day'], {}),
    timeZone: text('whose hours and days they are, such as Europe/Berlin; UTC unless it is said', {
      placeholder: 'zone',
    }),
    check: flag('recount everything instead'),
    at: ANY_SITE,
    ...COMMON,
  },
  examples: [
    { line: 'analytics --step day --time-zone Europe/Berlin', shows: 'the last thirty days of Berlin' },
    { line: 'analytics --check', shows: 'whether what was counted is what the orders and users give' },
  ],
  check: checkAnalytics,
  run: async (
    { stack, site, json, from, to, step, timeZone, at, check = false }: AnalyticsInput,
    context: CommandContext,
  ) => {
    const { analytics: run } = await import('../operate/analytics.ts');
    return run(
      { command: 'analytics', from, to, step, timeZone, at, check, ...commonOf({ stack, site, json }) },
      context,
    );
  },
});

const STOCK_NOTE =
  'Deployed sites take TANDEM_TOKEN, with the scopes tandem/read, tandem/any-owner and shop/stock.';
const LOST_SITE = text('the lost site', { placeholder: 'site', required: true });

async function runStock(
  action: StockOptions['action'],
  input: CommonInput &
    Readonly<Partial<Record<'at' | 'sku' | 'lost' | 'heir', string | undefined>>> & {
      readonly units?: number;
    },
  context: CommandContext,
): Promise<number> {
  const { stack, site, json, at, sku = '', lost = '', heir = '', units = 0 } = input;
  const { stock: run } = await import('../operate/stock.ts');
  const common = commonOf({ stack, site, json });
  return run({ command: 'stock', action, at, sku, lost, heir, units, ...common }, context);
}

export const stock: Group<CommandContext> = {
  name: 'stock',
  summary: 'what the sites have to sell, and what becomes of the share of one that is lost for good',
  commands: [
    command({
      name: 'stock show',
      summary: 'the share of every site, of one article or of all',
      details: STOCK_NOTE,
      args: { sku: text('the article; all of them unless it is said', { placeholder: 'sku' }) },
      options: { at: ANY_SITE, ...COMMON },
      examples: [{ line: 'stock show earl-grey', shows: 'one article, as the first site knows it' }],
      check: checkCommon,
      run: (input, context: CommandContext) => runStock('show', input, context),
    }),
    command({
      name: 'stock fence',
      summary:
        'cut a site that is gone for good off from the stock of all others, and say what has to be counted',
      details: `The site must be fenced first: docs/runbooks/stock-of-a-lost-site.md. ${STOCK_NOTE}`,
      args: { lost: LOST_SITE },
      options: {
        heir: text('the site that enters the count', { placeholder: 'site', required: true }),
        ...COMMON,
      },
      examples: [{ line: 'stock fence azure-eastus --heir aws-us-east-1', shows: 'after the loss of Azure' }],
      check: checkCommon,
      run: (input, context: CommandContext) => runStock('fence', input, context),
    }),
    command({
      name: 'stock recover',
      summary: 'enter what was counted of the share of a lost site, at its heir, once',
      details: STOCK_NOTE,
      args: {
        lost: LOST_SITE,
        sku: text('the article', { placeholder: 'sku', required: true }),
        units: text('what is there, less what was paid for', { placeholder: 'units', required: true }),
      },
      options: { at: ANY_SITE, ...COMMON },
      examples: [
        { line: 'stock recover azure-eastus earl-grey 34 --at aws-us-east-1', shows: 'at the heir' },
      ],
      check: checkCommon,
      run: ({ units, ...input }, context: CommandContext) =>
        runStock('recover', { ...input, units: wholeUnits(units) }, context),
    }),
  ],
};

function wholeUnits(given: string): number {
  if (/^(?:0|[1-9]\d{0,9})$/.test(given)) return Number(given);
  throw new UsageError(`units: '${given}' is no whole number`);
}

export const ledger: Group<CommandContext> = {
  name: 'ledger',
  summary: 'the shop’s books: beside what the payment provider says, what stands in them, and as a file',
  commands: [
    command({
      name: 'ledger reconcile',
      summary: 'write what the provider has moved and the books lack, and name every other difference',
      details: `The last ${RECONCILED_DAYS} days unless it is said. Exit status 1: there are differences. ${LEDGER_NOTE}`,
      options: { from: MOMENT, to: END, at: ANY_SITE, ...COMMON },
      examples: [{ line: 'ledger reconcile --from 2026-11-01', shows: 'since the beginning of November' }],
      check: checkLedger,
      run: (input, context: CommandContext) => runLedger('reconcile', input, context),
    }),
    command({
      name: 'ledger balance',
      summary: 'what stands in each account, by currency; debit above 0, credit below',
      details: `Exit status 1: lines of a movement do not add up to zero. ${LEDGER_NOTE}`,
      options: { from: MOMENT, to: END, provider: PROVIDER, at: ANY_SITE, ...COMMON },
      examples: [{ line: 'ledger balance --to 2026-12-01', shows: 'as it was at the end of November' }],
      check: checkLedger,
      run: (input, context: CommandContext) => runLedger('balance', input, context),
    }),
    command({
      name: 'ledger export',
      summary: 'every line of the books as CSV (RFC 4180), in minor units',
      details: LEDGER_NOTE,
      options: {
        from: MOMENT,
        to: END,
        provider: PROVIDER,
        output: file('where it goes; to the terminal unless it is said', {}),
        at: ANY_SITE,
        ...COMMON,
      },
      examples: [{ line: 'ledger export --output books.csv', shows: 'all of them, in a file' }],
      check: checkLedger,
      run: (input, context: CommandContext) => runLedger('export', input, context),
    }),
  ],
};

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

const ONE_SITE = text('whose dead letters; needed unless there is one site only', { placeholder: 'site' });
const IDS = many(text('as dlq list names them', { placeholder: 'id' }));
/** Which letters, and how fast. */
const SELECTION = {
  source: text('those that came from tandem-in, or from tandem-out', { placeholder: 'queue' }),
  reason: text('those with this reason', { placeholder: 'reason' }),
  all: flag('all of them'),
  dryRun: flag('count, and touch nothing'),
  rate: whole('at most so many a second', { min: 1, default: '50' }),
  at: ONE_SITE,
};

type DeadLettersInput = CommonInput & Partial<Omit<DeadLetterOptions, keyof CommonOptions>>;

async function runDeadLetters(
  action: DeadLetterOptions['action'],
  input: DeadLettersInput,
  context: CommandContext,
): Promise<number> {
  const { stack, site, json, at, ids = [], source, reason, edit } = input;
  const { all = false, dryRun = false, rate = 1 } = input;
  const common = commonOf({ stack, site, json });
  const { deadLetters } = await import('../operate/dead-letters.ts');
  return deadLetters(
    { command: 'dlq', action, at, ids, source, reason, all, dryRun, rate, edit, ...common },
    context,
  );
}

/** Nothing is settled that nobody has named. */
function checkSelection(action: string, { ids = [], source, reason, all }: DeadLettersInput): void {
  if (ids.length > 0 || source !== undefined || reason !== undefined || all === true) return;
  throw new UsageError(`dlq ${action}: name letters by id, --source or --reason, or say --all`);
}

export const deadLetters: Group<CommandContext> = {
  name: 'dlq',
  summary: 'messages that no queue could deliver, and why',
  commands: [
    command({
      name: 'dlq list',
      summary: 'why messages were dead-lettered, at every site or at one',
      details: KEY_NOTE,
      options: { at: text('whose dead letters', { placeholder: 'site', fallback: 'every site' }), ...COMMON },
      examples: [{ line: 'dlq list', shows: 'a line for each reason, with the id of a message' }],
      check: checkCommon,
      run: (input, context: CommandContext) => runDeadLetters('list', input, context),
    }),
    command({
      name: 'dlq show',
      summary: 'one of them with its body',
      details: KEY_NOTE,
      args: { id: text('as dlq list names it', { placeholder: 'id', required: true }) },
      options: { at: ONE_SITE, ...COMMON },
      examples: [{ line: 'dlq show dead-7 --at azure-eastus', shows: 'the message and its reason' }],
      check: checkCommon,
      run: ({ id, ...input }, context: CommandContext) =>
        runDeadLetters('show', { ...input, ids: [id] }, context),
    }),
    command({
      name: 'dlq replay',
      summary: 'send them back to the queues that they came from',
      details: KEY_NOTE,
      args: { ids: IDS },
      options: {
        edit: file('with one id: the event in this file goes back instead', {}),
        ...SELECTION,
        ...COMMON,
      },
      examples: [
        { line: 'dlq replay --reason malformed --dry-run --at aws-us-east-1', shows: 'how many there are' },
      ],
      check: (input) => {
        checkCommon(input);
        checkSelection('replay', input);
        if (input.edit !== undefined && input.ids.length !== 1)
          throw new UsageError('--edit: name the one letter that it is for');
      },
      run: (input, context: CommandContext) => runDeadLetters('replay', input, context),
    }),
    command({
      name: 'dlq discard',
      summary: 'remove them for good',
      details: KEY_NOTE,
      args: { ids: IDS },
      options: { ...SELECTION, ...COMMON },
      examples: [{ line: 'dlq discard dead-7 --at aws-us-east-1', shows: 'one message' }],
      check: (input) => {
        checkCommon(input);
        checkSelection('discard', input);
      },
      run: (input, context: CommandContext) => runDeadLetters('discard', input, context),
    }),
  ],
};

export const token = command({
  name: 'token',
  summary: 'a token of a stack that was started with --protected',
  options: {
    scope: text('what it is for', { placeholder: 'scopes', fallback: 'tandem/read tandem/write' }),
    ...COMMON,
  },
  examples: [{ line: 'token --scope tandem/read', shows: 'one that may read' }],
  check: checkCommon,
  run: async ({ scope, ...common }, context: CommandContext) => {
    const module = await import('../operate/token.ts');
    return module.token({ command: 'token', scope, ...commonOf(common) }, context);
  },
});
