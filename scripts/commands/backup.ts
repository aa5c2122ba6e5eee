/** Commands of archives: what is there, whether it is whole, and what is put back from it; and a site as files. */
import { command, type CommandContext, type Group } from '@tandem-clouds/command-line/command';
import { file, flag, folder, many, text, url, whole } from '@tandem-clouds/command-line/option';
import { UsageError } from '@tandem-clouds/command-line/usage-error';

const DEFAULT_STACK = '.tandem/stack.json';
const PLACES =
  'A place is s3://<bucket>@<region> or https://<account>.blob.core.windows.net/<container>, opened with the credentials of this shell, or a folder.';
const STORES =
  'A store is dynamodb://<table>@<region> or https://<account>.documents.azure.com/<database>/<container>.';

const STACK = {
  stack: file('the stack that runs on this machine, or its folder', { fallback: DEFAULT_STACK }),
};
const JSON_OPTION = { json: flag('for a program') };
const FROM = {
  from: many(text('a place where archives are, instead of those of the stack', { placeholder: 'place' })),
  of: many(text('only the archive of this site', { placeholder: 'site' })),
};
const INTO = {
  into: text('id of the site: a new one', { placeholder: 'site' }),
  store: text('the store of a deployed site', { placeholder: 'store' }),
  objects: text('where it keeps its objects', { placeholder: 'place' }),
  beside: flag('merge with what is there'),
  yes: flag('write; otherwise it is only counted'),
  report: file('a file for what was done: records, time, how it compared', {}),
};

/** @throws UsageError naming the option. */
function moment(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const ms = Date.parse(value);
  if (Number.isFinite(ms) && /^\d{4}-\d\d-\d\dT/.test(value)) return ms;
  throw new UsageError(`--${name}: '${value}' is no time such as 2026-03-01T12:00:00Z`);
}

function required(name: string, value: string | undefined): string {
  if (value === undefined) throw new UsageError(`--${name} is missing`);
  return value;
}

export const backup: Group<CommandContext> = {
  name: 'backup',
  summary: 'archives of sites in the other cloud: what is there, whether it is whole, a site from it',
  commands: [
    command({
      name: 'backup list',
      summary: 'per site: fulls, segments, and before which time everything is there',
      details: PLACES,
      options: { ...FROM, ...STACK, ...JSON_OPTION },
      examples: [{ line: 'backup list', shows: 'those of the stack of npm start -- --backup' }],
      run: async ({ stack = DEFAULT_STACK, ...input }, context: CommandContext) =>
        (await import('../operate/backup.ts')).listBackups({ stack, ...input }, context),
    }),
    command({
      name: 'backup verify',
      summary: 'reads every file and compares its digest; names what is missing, changed or cut short',
      details: `${PLACES} The exit status is 1 when anything is wrong.`,
      options: { ...FROM, ...STACK, ...JSON_OPTION },
      examples: [
        { line: 'backup verify --from s3://tandem-backup-1@us-east-1', shows: 'what is kept there' },
      ],
      run: async ({ stack = DEFAULT_STACK, ...input }, context: CommandContext) =>
        (await import('../operate/backup.ts')).verifyBackups({ stack, ...input }, context),
    }),
    command({
      name: 'backup restore',
      summary: 'a site, an entity or a record as it was, into the store of a site under a new id',
      details: `Records keep their stamps, so they compare equal to those of living sites. It may be stopped and begun again. ${PLACES} ${STORES}`,
      options: {
        ...FROM,
        at: text('as it was at this time; otherwise as late as there is', { placeholder: 'time' }),
        entity: text('only its records', { placeholder: 'entity' }),
        key: text('only this record', { placeholder: 'key' }),
        ...INTO,
        ...STACK,
        ...JSON_OPTION,
      },
      examples: [
        { line: 'backup restore --into azure-westeurope', shows: 'what would be restored' },
        {
          line: 'backup restore --into azure-westeurope --entity user --at 2026-03-01T12:00:00Z --yes',
          shows: 'the users of that time',
        },
      ],
      check: ({ at, into }) => {
        moment('at', at);
        required('into', into);
      },
      run: async ({ stack = DEFAULT_STACK, at, into, ...input }, context: CommandContext) =>
        (await import('../operate/backup.ts')).restoreSite(
          { stack, ...input, into: required('into', into), atMs: moment('at', at) },
          context,
        ),
    }),
    command({
      name: 'backup drill',
      summary:
        'loses two sites on this machine, restores one from their archives, and takes back what a bad release wrote',
      details: 'On stacks of its own, with data in memory. The exit status is 1 when anything differs.',
      options: {
        records: whole('that are written before', { min: 1, max: 100_000, default: '500' }),
        out: folder('for report.json', { default: '.tandem/backup-drill' }),
        ...JSON_OPTION,
      },
      examples: [{ line: 'backup drill --records 100', shows: 'a short one' }],
      run: async (input, context: CommandContext) =>
        (await import('../operate/backup-drill.ts')).drillBackup(input, context),
    }),
  ],
};

export const restore = command({
  name: 'restore',
  summary: 'values of before a moment, written forward: after a release that wrote garbage at every site',
  details: `Only what was written between --before and --until is taken back; what was written later stays. ${PLACES}`,
  options: {
    entity: text('its records', { placeholder: 'entity' }),
    key: text('only this record', { placeholder: 'key' }),
    field: many(text('only this field', { placeholder: 'field' })),
    before: text('the last moment at which they were right', { placeholder: 'time' }),
    until: text('when what is written became right again; otherwise now', { placeholder: 'time' }),
    deleteCreated: flag('delete records that were created in between'),
    at: text('by the API of this site', { placeholder: 'site' }),
    yes: flag('write; otherwise the difference is only shown'),
    ...FROM,
    ...STACK,
    site: many(url('a deployed site instead', {})),
    ...JSON_OPTION,
  },
  examples: [
    { line: 'restore --entity user --before 2026-03-01T12:00:00Z', shows: 'what would change' },
    {
      line: 'restore --entity user --before 2026-03-01T12:00:00Z --until 2026-03-01T12:20:00Z --yes',
      shows: 'takes back what was written in those twenty minutes',
    },
  ],
  check: ({ entity, key, before, until }) => {
    if (entity === undefined && key === undefined) throw new UsageError('--entity or --key is missing');
    const [beforeMs, untilMs] = [moment('before', required('before', before)), moment('until', until)];
    if (untilMs !== undefined && beforeMs !== undefined && untilMs <= beforeMs)
      throw new UsageError('--until must be later than --before');
  },
  run: async ({ stack = DEFAULT_STACK, site, before, until, ...input }, context: CommandContext) =>
    (await import('../operate/backup.ts')).undo(
      {
        stack,
        ...input,
        sites: [...new Set(site)],
        beforeMs: moment('before', before) ?? 0,
        untilMs: moment('until', until) ?? Date.now(),
      },
      context,
    ),
});

export const exportOfSite = command({
  name: 'export',
  summary: 'every record and object of a site as plain files: JSON Lines, compressed, with digests',
  details: `It goes on where it was interrupted. ${STORES}`,
  options: {
    site: text('of the stack, or the id of a deployed one', { placeholder: 'site' }),
    store: INTO.store,
    objects: INTO.objects,
    to: folder('where the files go', {}),
    ...STACK,
    ...JSON_OPTION,
  },
  examples: [{ line: 'export --site aws-us-east-1 --to ./exported', shows: 'all of one site' }],
  check: ({ site, to }) => {
    required('site', site);
    required('to', to);
  },
  run: async ({ stack = DEFAULT_STACK, site, to, ...input }, context: CommandContext) =>
    (await import('../operate/backup.ts')).exportSite(
      { stack, ...input, site: required('site', site), to: required('to', to) },
      context,
    ),
});

export const importOfSite = command({
  name: 'import',
  summary: 'what was exported, into an empty site under a new id; verified before and compared after',
  details: `It may be stopped and begun again. ${STORES}`,
  options: { from: folder('of the export', {}), ...INTO, ...STACK, ...JSON_OPTION },
  examples: [
    { line: 'import --from ./exported --into aws-eu-west-1 --yes', shows: 'into a site of the stack' },
  ],
  check: ({ from, into }) => {
    required('from', from);
    required('into', into);
  },
  run: async ({ stack = DEFAULT_STACK, from, into, ...input }, context: CommandContext) =>
    (await import('../operate/backup.ts')).importSite(
      { stack, ...input, from: required('from', from), into: required('into', into) },
      context,
    ),
});
