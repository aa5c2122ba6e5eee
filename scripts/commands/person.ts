/** Commands about one person: what is kept of them, and their erasure. */
import { command, type CommandContext, type Group } from '@tandem-clouds/command-line/command';
import { file, flag, folder, text, whole } from '@tandem-clouds/command-line/option';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import { checkCommon, COMMON, commonOf, KEY_NOTE } from './operate.ts';

const SUBJECT = text('whom, as tokens name them (sub)', { placeholder: 'subject', required: true });
const DOCS = 'docs/persons.md says what is found, and what is erased when.';

export const person: Group<CommandContext> = {
  name: 'person',
  summary: 'what every site holds of one person, and their erasure',
  commands: [
    command({
      name: 'person export',
      summary: 'everything that sites hold of them, as a folder with an index for a reader',
      details: `${DOCS} ${KEY_NOTE}`,
      args: { subject: SUBJECT },
      options: { out: folder('an empty folder', { required: true }), ...COMMON },
      examples: [{ line: 'person export ada --out ada', shows: 'ada/index.html and what it leads to' }],
      check: checkCommon,
      run: async ({ subject, out, ...common }, context: CommandContext) => {
        const { exportPerson } = await import('../operate/person.ts');
        return exportPerson({ subject, out, ...commonOf(common) }, context);
      },
    }),
    command({
      name: 'person erase',
      summary: 'erase at every site what was written of them until now, or go on with it',
      details: `${DOCS} It cannot be undone. ${KEY_NOTE}`,
      args: { subject: SUBJECT },
      options: {
        why: text('why, for the record of the erasure', { placeholder: 'text', required: true }),
        by: text('who asks for it', { placeholder: 'name', required: true }),
        wait: flag('until every site is clean: minutes, or until a lost site is back'),
        report: file('what was looked at and found, and until when copies exist elsewhere', {}),
        sign: file('with --report: an Ed25519 key in PEM that signs it', {}),
        backupDays: whole('how long archives are kept (backupWeeklyDays of the sites)', {
          min: 1,
          max: 365,
          default: '92',
        }),
        ...COMMON,
      },
      examples: [
        {
          line: `person erase ada --why 'asked on 1 May' --by support`,
          shows: 'begins; sites go on by themselves',
        },
        {
          line: `person erase ada --why 'asked on 1 May' --by support --wait --report ada.json --sign key.pem`,
          shows: 'waits, and says so in a signed report',
        },
      ],
      check: ({ report, sign, ...common }) => {
        checkCommon(common);
        if (sign !== undefined && report === undefined)
          throw new UsageError('--sign signs a report: name --report');
      },
      run: async ({ stack, site, json, ...input }, context: CommandContext) => {
        const { erasePerson } = await import('../operate/person.ts');
        return erasePerson({ ...input, ...commonOf({ stack, site, json }) }, context);
      },
    }),
    command({
      name: 'person erasures',
      summary: 'who asked for which, without a name, and how far each site is',
      details: KEY_NOTE,
      options: COMMON,
      examples: [{ line: 'person erasures', shows: 'the newest first' }],
      check: checkCommon,
      run: async (common, context: CommandContext) => {
        const { listErasures } = await import('../operate/person.ts');
        return listErasures(commonOf(common), context);
      },
    }),
    command({
      name: 'person check',
      summary: 'whether a report is what was signed; asks nobody',
      details: 'An altered report, and one that another key has signed, is not.',
      args: { report: file('a report of person erase', { required: true }) },
      options: { key: file('the public key in PEM', { required: true }) },
      examples: [{ line: 'person check ada.json --key public.pem', shows: 'as it was signed, or not' }],
      run: async ({ report, key }, context: CommandContext) => {
        const { checkReport } = await import('../operate/person.ts');
        return checkReport({ file: report, key }, context);
      },
    }),
  ],
};
