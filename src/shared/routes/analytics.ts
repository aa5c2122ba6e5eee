import { readAsked } from '../domain/analytics/asked.ts';
import { heardFrom } from '../domain/analytics/heard.ts';
import { seriesOf } from '../domain/analytics/series.ts';
import { addTallies, type Counts, type Tally, totalOf } from '../domain/analytics/tally.ts';
import { STEPS } from '../domain/analytics/time-zone.ts';
import { defineRoutes } from '../domain/routes/define-routes.ts';

const moment = { type: 'string', maxLength: 40 } as const;
const count = { type: 'integer', minimum: 0 } as const;
/** Currency → its smallest units. */
const amounts = { type: 'object', additionalProperties: count } as const;
const countsFields = {
  orders: count,
  paid: count,
  revenue: amounts,
  refunded: amounts,
  signUps: count,
} as const;
const counts = {
  type: 'object',
  required: Object.keys(countsFields),
  additionalProperties: false,
  properties: countsFields,
} as const;
const bySite = { type: 'object', additionalProperties: counts } as const;

/** Orders, money and sign-ups by time, per site and together (docs/analytics.md). */
export const analytics = defineRoutes({
  name: 'analytics',
  description: 'Orders, money and sign-ups by time, per site and together',
  uses: { records: { order: 'read', user: 'read' }, site: true, counts: true },
  operations: {
    readAnalytics: {
      method: 'GET',
      path: '/analytics',
      summary:
        'What has happened, by minutes, hours or days of a time zone, as far as this site has heard of it',
      access: { scope: 'shop/analytics' },
      input: {
        from: moment,
        to: moment,
        step: { type: 'string', enum: STEPS },
        timeZone: { type: 'string', minLength: 1, maxLength: 64 },
      },
      output: {
        from: moment,
        to: moment,
        step: { type: 'string', enum: STEPS },
        timeZone: { type: 'string' },
        answeredBy: { type: 'string' },
        heardUntil: { type: 'object', additionalProperties: moment },
        total: counts,
        sites: bySite,
        series: {
          type: 'array',
          items: {
            type: 'object',
            required: ['at', 'total', 'sites'],
            additionalProperties: false,
            properties: { at: moment, total: counts, sites: bySite },
          },
        },
      },
      async handle({ input }, { site, now }) {
        const { step, zone, fromMs, toMs, starts } = readAsked(input, now.getTime());
        const [points, heardUntil] = await Promise.all([
          site.run((own) => seriesOf(own, { step }, starts)),
          site.run((own) => heardFrom(own)),
        ]);
        const all = points.reduce((sum: Tally, { tally }) => addTallies(sum, tally), {});
        return {
          from: zone.isoOf(fromMs),
          to: zone.isoOf(toMs),
          step,
          timeZone: zone.name,
          answeredBy: site.id,
          heardUntil,
          total: shown(totalOf(all)),
          sites: shownSites(all),
          series: points.map(({ fromMs: atMs, tally }) => ({
            at: zone.isoOf(atMs),
            total: shown(totalOf(tally)),
            sites: shownSites(tally),
          })),
        };
      },
    },
  },
});

function shown(counted: Counts) {
  return { ...counted };
}

function shownSites(tally: Tally) {
  return Object.fromEntries(Object.entries(tally).map(([site, counted]) => [site, shown(counted)]));
}
