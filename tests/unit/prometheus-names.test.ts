/** Rules and dashboards ask for what there is: the names that the code makes, and those that the rules record. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { Metrics } from '@tandem-clouds/emulators/otlp/metrics';
import { pointsIn } from '@tandem-clouds/emulators/otlp/metrics-request';
import { type Family, toText } from '@tandem-clouds/emulators/otlp/prometheus-text';
import { defaultPorts } from '@tandem-clouds/local/ports';
import { PROGRAM } from '../../scripts/commands/program.ts';
import { familiesOf } from '../../scripts/operate/site-families.ts';
import {
  ownInstrument,
  requestDuration,
  siteInstruments,
} from '../../src/shared/adapters/metering/instruments.ts';
import { Meter } from '../../src/shared/adapters/metering/meter.ts';
import { otlpMetricsBody } from '../../src/shared/adapters/metering/otlp-metrics.ts';
import type { ReplicationView } from '../../src/shared/operations/replication-view.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), 'utf8');

/** Everything that a site may send, as the collector serves it. */
function collected(): readonly Family[] {
  const meter = new Meter(Date.now);
  for (const instrument of Object.values(siteInstruments)) meter.record(instrument, {}, 1);
  meter.record(requestDuration, {}, 1);
  meter.record(ownInstrument('MailsSent'), {}, 1);
  const measured = meter.take();
  if (measured === undefined) throw new Error('nothing is measured');
  const from = { resource: {}, scope: { name: 'tandem', version: '1' }, attributes: { site: 'a' } };
  const { points, rejected } = pointsIn(JSON.parse(otlpMetricsBody(from, measured)));
  expect(rejected).toBe(0);
  const metrics = new Metrics();
  for (const point of points) metrics.add(point);
  return metrics.families();
}

/** Everything that a site may answer, as `tandem metrics` serves it. */
function exported(): readonly Family[] {
  const keys = { keys: 1, atLeast: false };
  const depth = { messages: 1, atLeast: false };
  const replication: ReplicationView = {
    site: 'a',
    now: '2030-01-01T00:00:01Z',
    peers: [
      { site: 'b', safeTime: '2030-01-01T00:00:00Z', exposure: keys, oldestPendingMs: 1, paused: false },
    ],
    inbound: [{ site: 'b', heardMsAgo: 1 }],
    content: { lacking: { objects: 1, bytes: 1, overdue: 1 }, atLeast: false },
  };
  const queues = { out: depth, in: depth, dead: depth };
  return familiesOf(
    [{ url: 'https://a.example', replication, queues, waiting: keys, parked: keys }],
    () => 'a',
  );
}

const namesOf = (families: readonly Family[]): Set<string> =>
  new Set(
    families.flatMap(({ name, type }) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => name + suffix) : [name],
    ),
  );

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly annotations?: { readonly summary?: string; readonly runbook?: string };
}
const rulesIn = (file: string): Rule[] =>
  (parse(read(file)) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);

const RULES = rulesIn('infra/prometheus/rules.yml');
const GLOBAL_RULES = rulesIn('infra/prometheus/global-rules.yml');
const recorded = (rules: readonly Rule[]): string[] => rules.flatMap(({ record }) => record ?? []);

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}
const PANELS = (JSON.parse(read('infra/grafana/tandem.json')) as { panels: Panel[] }).panels;

const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'by', 'without', 'on', 'ignoring']);

/** The names of metrics in an expression of PromQL: what is no text, label, function or word of the language. */
function metricsIn(expr: string): string[] {
  const bare = expr
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, ' ')
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  return [...bare.matchAll(/(?<![\w:.])([a-zA-Z_:][\w:]*)(?!\s*\()(?![\w:])/g)]
    .map(([, name = '']) => name)
    .filter((name) => !WORDS.has(name));
}

const HERE = new Set([...namesOf(collected()), ...namesOf(exported()), ...recorded(RULES), 'up']);
const unknownIn = (expr: string, known: ReadonlySet<string>): string[] =>
  metricsIn(expr).filter((name) => !known.has(name));

describe('names of metrics', () => {
  test('are found in an expression, and what is no metric is not', () => {
    const expr =
      'histogram_quantile(0.99, sum by (le, site) (rate(a_bucket{b="c_d or e"}[5m]))) > bool 1e3 and on (site) max_over_time(x:y:z[1m]) or vector(0)';
    expect(metricsIn(expr)).toEqual(['a_bucket', 'x:y:z']);
    expect(unknownIn('rate(tandem_typo_total[5m]) / tandem_up', HERE)).toEqual(['tandem_typo_total']);
  });

  test.each(RULES.map((rule) => [rule.record ?? rule.alert ?? '', rule.expr]))(
    'of the rule %s are made by the code',
    (_, expr) => {
      expect(metricsIn(expr)).not.toEqual([]);
      expect(unknownIn(expr, HERE)).toEqual([]);
    },
  );

  test.each(PANELS.map(({ title, targets }) => [title, targets.map(({ expr }) => expr)] as const))(
    'of the panel %s are made by the code',
    (_, exprs) => {
      expect(exprs.flatMap(metricsIn)).not.toEqual([]);
      expect(exprs.flatMap((expr) => unknownIn(expr, HERE))).toEqual([]);
    },
  );

  test('of the global rules are those that a global Prometheus takes, or record themselves', () => {
    const [job] = (
      parse(read('infra/prometheus/federation.yml')) as {
        scrape_configs: { params: { 'match[]': string[] } }[];
      }
    ).scrape_configs;
    const patterns = (job?.params['match[]'] ?? []).map(
      (selector) => new RegExp(`^(?:${/__name__=~"([^"]*)"/.exec(selector)?.[1] ?? '(?!)'})$`),
    );
    const taken = [...HERE].filter((name) => patterns.some((pattern) => pattern.test(name)));
    const known = new Set([...taken, ...recorded(GLOBAL_RULES)]);
    expect(taken.length).toBeGreaterThan(0);
    expect(GLOBAL_RULES.flatMap(({ expr }) => unknownIn(expr, known))).toEqual([]);
  });

  test('are the same at the collector and at the exporter where they mean the same, with the same help', () => {
    const [collector, exporter] = [collected(), exported()];
    const common = exporter.flatMap((family) => {
      const other = collector.find(({ name }) => name === family.name);
      return other === undefined ? [] : [[family, other] as const];
    });
    expect(common.map(([{ name }]) => name)).toContain('tandem_keys_at_risk');
    for (const [a, b] of common) expect([a.type, a.help]).toEqual([b.type, b.help]);
  });

  test('have a help, and no unit but the base one', () => {
    for (const { name, help } of [...collected(), ...exported()]) {
      expect([name, help]).not.toEqual([name, '']);
      expect(name).not.toMatch(/milliseconds|_ms$/);
    }
    expect(toText(exported())).toContain('# HELP tandem_up ');
  });
});

test('the runbook that an alert names is there', () => {
  const runbooks = RULES.flatMap(({ annotations }) => annotations?.runbook ?? []);
  expect(runbooks.length).toBeGreaterThan(0);
  expect(runbooks.filter((file) => !fs.existsSync(path.join(ROOT, file)))).toEqual([]);
});

test('the Prometheus of this machine scrapes the ports that are meant', () => {
  const { scrape_configs: jobs } = parse(read('infra/prometheus/prometheus.yml')) as {
    scrape_configs: { static_configs: { targets: string[] }[] }[];
  };
  const targets = jobs.flatMap((job) => job.static_configs.flatMap((config) => config.targets));
  const metrics = PROGRAM.sections.flatMap(({ entries }) => entries).find(({ name }) => name === 'metrics');
  const serve = metrics !== undefined && 'commands' in metrics ? metrics.commands[1] : undefined;
  expect(targets).toEqual([
    `127.0.0.1:${defaultPorts([]).get('traces') ?? ''}`,
    `127.0.0.1:${serve?.options['port']?.fallback ?? ''}`,
  ]);
});
