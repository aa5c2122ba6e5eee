/** Commands about what the declarations change. */
import { command, type CommandContext, type Group } from '@tandem-clouds/command-line/command';
import { flag, many, type Option, text, url, whole } from '@tandem-clouds/command-line/option';
import { UsageError } from '@tandem-clouds/command-line/usage-error';
import type { Named } from '../schema/source.ts';

/** Of every command that refuses a breaking change. */
export const ALLOW_BREAKING = many(
  text('a breaking change that is meant, by its whole place', { placeholder: 'place', fallback: 'none' }),
);

const NAME = text('what to compare with', {
  placeholder: 'release|revision|file',
  fallback: 'what --site runs; without it what was deployed everywhere',
});

/** A path is meant from where the person stands; what is none is a name. */
const AGAINST: Option<Named | undefined> = {
  ...NAME,
  read: (texts, name, place) => {
    const given = NAME.read(texts, name, place);
    return given === undefined ? undefined : { text: given, path: place.resolve(given) };
  },
};

export const schema: Group<CommandContext> = {
  name: 'schema',
  summary: 'what the declarations change of what is deployed: check',
  commands: [
    command({
      name: 'schema check',
      summary: 'additive, needs a backfill, or breaking, which is refused with the way to do it',
      details: `Compares the declared entities with those of a release. With --site stored records are read, too, through the lists of the API,
which costs what lists cost, and those are counted that the declarations would not take; TANDEM_TOKEN is
presented as a bearer token, whose scopes decide what is seen. Keys are printed, values are not. docs/schema.md has more.`,
      options: {
        against: AGAINST,
        allowBreaking: ALLOW_BREAKING,
        site: url('of a site, whose stored records are read', {}),
        entity: text('of --site: only its records', { placeholder: 'name', fallback: 'all' }),
        cursor: text('of --entity: go on there', { placeholder: 'cursor' }),
        records: whole('of --site: read about so many of each entity', { min: 1, default: '10000' }),
        json: flag('one JSON object'),
      },
      examples: [
        { line: 'schema check', shows: 'against the release that was deployed everywhere' },
        { line: 'schema check --against HEAD', shows: 'what is not committed yet' },
        { line: 'schema check --site http://127.0.0.1:3000', shows: 'stored records of npm start, too' },
      ],
      check: ({ site, entity, cursor }) => {
        if (entity !== undefined && site === undefined) throw new UsageError('--entity is for --site');
        if (cursor !== undefined && entity === undefined) throw new UsageError('--cursor is for --entity');
      },
      run: async (input, context: CommandContext) =>
        (await import('../schema/check.ts')).checkSchema(input, context),
    }),
  ],
};
