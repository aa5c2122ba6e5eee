/** Commands about the shop that people see. */
import { command, type CommandContext, type Group } from '@tandem-clouds/command-line/command';
import { choice, file, flag, text } from '@tandem-clouds/command-line/option';
import { UsageError } from '@tandem-clouds/command-line/usage-error';

export const storefront: Group<CommandContext> = {
  name: 'storefront',
  summary: 'the shop that people see: publish',
  commands: [
    command({
      name: 'storefront publish',
      summary: "into a cloud's storage, which the feature storefront has made",
      details: `Builds the shop, writes script, styles and icon first and the page last, and then removes what neither this page nor the one
before it uses. What is there already is not sent again. A publication that ends early leaves the page that was there; run it again.

At AWS it signs in as the AWS SDK does, at Azure as whoever \`az login\` has signed in. AWS_ENDPOINT_URL_S3 and
AZURE_STORAGE_CONNECTION_STRING lead to emulators.`,
      options: {
        cloud: choice('which one', ['aws', 'azure'], { required: true }),
        to: text('the output StorefrontBucketName of AWS, storefrontAccountUrl of Azure', {
          placeholder: 'bucket|url',
          required: true,
        }),
        config: file('what becomes site.json: sites, pictures, payments', { required: true }),
        region: text('of the bucket', {
          placeholder: 'region',
          fallback: "the SDK's: AWS_REGION, or a profile",
        }),
        dryRun: flag('print what would change and do nothing'),
        json: flag('one JSON object'),
      },
      examples: [
        {
          line: 'storefront publish --cloud aws --to tandem-storefront-123456789012-us-east-1 --config site.json --dry-run',
          shows: 'what would change',
        },
        {
          line: 'storefront publish --cloud azure --to https://shopabc.blob.core.windows.net --config site.json',
          shows: 'the shop at Azure',
        },
      ],
      check: ({ cloud, to, region }) => {
        if (cloud === 'azure' && !/^https?:$/.test(URL.parse(to)?.protocol ?? ''))
          throw new UsageError(`--to: '${to}' is not the URL of a storage account`);
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
        if (cloud === 'aws' && !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(to))
          throw new UsageError(`--to: '${to}' is not the name of a bucket`);
        if (cloud === 'azure' && region !== undefined) throw new UsageError('--region is for --cloud aws');
      },
      run: async (input, context: CommandContext) =>
        (await import('../storefront/publish.ts')).publishStorefront(input, context),
    }),
  ],
};
