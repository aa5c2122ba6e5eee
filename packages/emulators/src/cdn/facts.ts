/** What the vendors publish about their shared caches and how they are purged, and the tests that hold these emulators to it. */
import { type EmulatorFacts, testsOf } from '../core/fact.ts';

const CLOUDFRONT = 'https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide';
const FRONT_DOOR = 'https://learn.microsoft.com/azure/frontdoor';
const CLOUDFLARE = 'https://developers.cloudflare.com/cache';
const own = testsOf('packages/emulators/tests/cdn/caches.test.ts');

export const cdnFacts: EmulatorFacts = {
  id: 'cdn',
  title: 'CloudFront, Front Door and Cloudflare (caches)',
  folder: 'packages/emulators/src/cdn',
  facts: [
    {
      kind: 'limit',
      what: 'CloudFront has invalidations of at most 3,000 files in progress',
      source: `${CLOUDFRONT}/InvalidationLimits.html`,
      held: own('are so many in progress, and a reference is of one batch'),
    },
    {
      kind: 'limit',
      what: 'CloudFront has at most 15 wildcards in progress',
      source:
        'https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html#wildcards',
      held: own('refuse %s', 'more wildcards than are in progress'),
    },
    {
      kind: 'limit',
      what: 'CloudFront stores fifty tags of an object',
      source: `${CLOUDFRONT}/invalidation-specifying-tags.html`,
      held: own('know fifty tags of an object'),
    },
    {
      kind: 'limit',
      what: 'a purge of Front Door names at most a hundred paths',
      source: 'https://raw.githubusercontent.com/MicrosoftDocs/azure-docs/main/includes/front-door-limits.md',
      held: own('refuse %s', '101 paths'),
    },
    {
      kind: 'limit',
      what: 'Resource Manager takes so many requests of an identity a second',
      source:
        'https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling',
      held: 'because no test sends so many; a fault orders what it answers then',
    },
    {
      kind: 'tier',
      what: 'Cloudflare takes purges by a token bucket, which depends on the plan, of a hundred tags each',
      source: `${CLOUDFLARE}/how-to/purge-cache/`,
      held: own('are as many as the plan has, and then wait'),
    },
    {
      kind: 'validation',
      what: 'an item of an invalidation is a path with its slash, or # and a tag of 256 visible characters without a comma',
      source: `${CLOUDFRONT}/invalidation-specifying-tags.html#format`,
      held: own('refuse %s', 'a tag with a comma'),
    },
    {
      kind: 'validation',
      what: 'a request of CloudFront is signed for us-east-1; its signature is computed',
      source: 'https://docs.aws.amazon.com/general/latest/gr/cf_region.html',
      held: 'because other emulators of this package compute it for their services, by the same rules',
    },
    {
      kind: 'error',
      what: 'a caller reference is of one batch: with another one it is InvalidationBatchAlreadyExists',
      source: 'https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html',
      held: own('are so many in progress, and a reference is of one batch'),
    },
    {
      kind: 'error',
      what: 'Cloudflare answers 429 with Retry-After when the bucket is empty',
      source: `${CLOUDFLARE}/how-to/purge-cache/#token-bucket-rate-limiting`,
      held: own('are as many as the plan has, and then wait'),
    },
    {
      kind: 'shape',
      what: 'an answer is kept for s-maxage, else max-age, and not with no-store, no-cache or private',
      source: `${CLOUDFRONT}/Expiration.html`,
      held: own('answers from what it keeps for as long as the origin says, and revalidates it by its tag'),
    },
    {
      kind: 'shape',
      what: 'CloudFront shows what is stale while the origin fails, by stale-if-error; Front Door does not know it',
      source:
        'https://aws.amazon.com/about-aws/whats-new/2023/05/amazon-cloudfront-stale-while-revalidate-stale-if-error-cache-control-directives/',
      held: own('%s answers while the origin fails by %s: %s', 's-maxage=10, stale-if-error=20'),
    },
    {
      kind: 'shape',
      what: 'Front Door keeps for one to three days what says nothing of caches',
      source: `${FRONT_DOOR}/front-door-caching`,
      held: own('Front Door keeps for days what says nothing, and nothing outside its rule'),
    },
    {
      kind: 'shape',
      what: 'a purge of Front Door is of a path with every query string, in any case',
      source: `${FRONT_DOOR}/standard-premium/how-to-cache-purge`,
      held: own('forget a path with every query string, in any case'),
    },
    {
      kind: 'shape',
      what: 'Cloudflare goes by CDN-Cache-Control before Cache-Control, and removes Cache-Tag',
      source: `${CLOUDFLARE}/concepts/cdn-cache-control/`,
      held: own('Cloudflare goes by CDN-Cache-Control, and keeps tags to itself'),
    },
    {
      kind: 'timing',
      what: 'an invalidation of CloudFront takes effect within seconds, and a purge of Front Door within minutes',
      source: `${FRONT_DOOR}/front-door-faq`,
      held: 'because each is carried out with its answer, unless a test says how long it takes: what real caches add is not measured',
    },
  ],
};
