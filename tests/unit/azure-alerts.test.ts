/** The queries of alerts and of the workbook ask for what the code writes, and every figure of docs/metrics.md is seen. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { deploy } from '@tandem-clouds/emulators/azure-control-plane/evaluate-template';
import { composeTemplate } from '../../infra/azure/template/compose-template.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const QUERIES = path.join(ROOT, 'infra/azure/queries');
const queries = fs.readdirSync(QUERIES).map((name) => {
  const text = fs.readFileSync(path.join(QUERIES, name), 'utf8');
  return { name, text, code: text.replace(/^\s*\/\/.*$/gm, '') };
});

const sources = fs
  .readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: fs.readFileSync(path.join(ROOT, 'src', file), 'utf8') }));
const declared = [
  ...(sources.find(({ file }) => file.endsWith('ports/telemetry.ts'))?.text ?? '').matchAll(
    /^ +\| '([A-Z]\w+)'/gm,
  ),
].map(([, name = '']) => name);
/** Names that some call of `record` writes. */
const emitted = declared.filter((name) =>
  sources.some(
    ({ file, text }) => !file.endsWith('ports/telemetry.ts') && new RegExp(`\\b${name}\\b[:, ]`).test(text),
  ),
);

const template = composeTemplate(path.join(ROOT, 'infra/azure/site.json'));
const peers = [{ site: 'aws-us-east-1' }, { site: 'azure-westeurope' }];
const deployed = deploy(template, { functionAppName: 'acme', location: 'here', peers });
const ofType = (type: string): Record<string, unknown>[] =>
  deployed.filter((resource) => resource.type === type).map(({ body }) => body);

describe('a query', () => {
  test.each(queries)('$name asks for members of lines that the code writes', ({ code }) => {
    const members = [...code.matchAll(/\bline\.(\w+)/g)].map(([, name = '']) => name);
    for (const metric of members.filter((name) => /^[A-Z]/.test(name))) expect(emitted).toContain(metric);
    for (const field of members.filter((name) => /^[a-z]/.test(name))) {
      const pattern = new RegExp(`\\b${field}\\b`);
      expect([field, sources.some(({ text }) => pattern.test(text))]).toEqual([field, true]);
    }
    expect(members.length > 0 || code.includes('requests')).toBe(true);
  });

  test.each(queries)('$name looks for messages that the code logs', ({ code }) => {
    const sought = [...code.matchAll(/line\.message\) (?:== |in \()((?:"[^"]+"(?:, )?)+)/g)];
    const messages = sought.flatMap(([, list = '']) =>
      [...list.matchAll(/"([^"]+)"/g)].map(([, text = '']) => text),
    );
    for (const message of messages) {
      expect([message, sources.some(({ text }) => text.includes(`'${message}'`))]).toEqual([message, true]);
    }
  });

  test.each(queries)('$name reads tables that the host fills', ({ code }) => {
    const tables = [...code.matchAll(/^\s*(?:let \w+ = )?(\w+)\n\s*\|/gm)].map(([, name = '']) => name);
    for (const table of tables)
      expect(['traces', 'requests', 'lines', 'minutes', 'moments', 'served']).toContain(table);
  });

  test.each(queries)('$name is used', ({ text }) => {
    const used = JSON.stringify(template);
    expect(used).toContain(JSON.stringify(text.trimEnd()).slice(1, -1));
  });
});

describe('the workbook', () => {
  const [workbook] = ofType('Microsoft.Insights/workbooks');
  const { serializedData } = workbook?.['properties'] as { serializedData: string };
  const { items } = JSON.parse(serializedData) as {
    items: { content: { title?: string; query?: string } }[];
  };

  test('shows every figure that the code measures', () => {
    const shown = items.map(({ content }) => content.query ?? '').join('\n');
    for (const metric of declared) expect(shown).toContain(`line.${metric}`);
  });

  test('asks its queries of this site', () => {
    const asking = items.filter(({ content }) => content.query !== undefined);
    for (const { content } of asking) {
      expect(content).toMatchObject({
        crossComponentResources: [expect.stringMatching(/components\/acme$/)],
      });
    }
  });
});

describe('alerts', () => {
  interface Rule {
    readonly evaluationFrequency: string;
    readonly criteria: {
      readonly allOf: readonly { readonly query: string; readonly dimensions: { name: string }[] }[];
    };
  }
  const rules = ofType('Microsoft.Insights/scheduledQueryRules').map(({ properties }) => properties as Rule);
  const { query, dimensions } = rules[0]?.criteria.allOf[0] ?? { query: '', dimensions: [] };
  const signalsOf = (level: string): string[] =>
    [...query.matchAll(/level = "(\w+)", signal = "([^"]+)"/g)].flatMap(([, of, name = '']) =>
      of === level ? [name] : [],
    );

  test('are one query, because each costs by the month', () => {
    expect(rules.map(({ evaluationFrequency }) => evaluationFrequency)).toEqual(['PT15M']);
  });

  test('page for what cannot wait', () => {
    expect(signalsOf('page')).toEqual([
      'replication lag of 10 s',
      'safe time a minute ago',
      'nothing measured',
      'error rate of 5 %',
      'p99 of 1 s',
    ]);
  });

  test('warn of what can wait until the morning', () => {
    expect(signalsOf('warning')).toEqual([
      'a thousand keys exposed',
      'clock skew of 500 ms',
      'replication lag of 5 s',
      'records differ',
      'reactions parked',
      'objects overdue',
      'writes from the future',
    ]);
  });

  test('name the level, the signal and the peer', () => {
    expect(dimensions.map(({ name }) => name)).toEqual(['level', 'signal', 'peer']);
    const rows = query.match(/project level = "\w+", signal = "[^"]+", peer(?: = "")?,(?: minute,)? value/g);
    expect(rows).toHaveLength(signalsOf('page').length + signalsOf('warning').length);
  });

  test('page when a peer of the configuration is not measured at all', () => {
    expect(query).toContain('let peers = dynamic(["aws-us-east-1","azure-westeurope"]);');
  });

  test('watch the queues by the platform, whether or not the app runs', () => {
    const watched = ofType('Microsoft.Insights/metricAlerts').map(({ properties }) => {
      const { allOf } = (
        properties as { criteria: { allOf: { metricName: string; dimensions?: { values: string[] }[] }[] } }
      ).criteria;
      return [allOf[0]?.metricName, ...(allOf[0]?.dimensions?.[0]?.values ?? [])];
    });
    const queues = deployed
      .filter(({ type }) => type.endsWith('/queues'))
      .map(({ body }) => String(body['name']));
    expect(watched).toEqual([
      ['ActiveMessages', 'tandem-dead'],
      ['DeadletteredMessages'],
      ['ActiveMessages', 'tandem-out', 'tandem-in', 'tandem-verify', 'tandem-react', 'tandem-objects'],
    ]);
    expect(watched.flat().slice(1)).toEqual(expect.arrayContaining(queues));
  });

  test('tell the operator by e-mail when there is an address', () => {
    const receivers = (given: object): unknown =>
      deploy(template, { functionAppName: 'acme', location: 'here', ...given })
        .filter(({ type }) => type.endsWith('actionGroups'))
        .map(({ body }) => (body['properties'] as { emailReceivers: unknown }).emailReceivers);
    expect(receivers({})).toEqual([[]]);
    expect(receivers({ alertEmail: 'on-call@example.org' })).toEqual([
      [expect.objectContaining({ emailAddress: 'on-call@example.org' })],
    ]);
  });
});
