/**
 * Prometheus itself over a stack of its own: it takes the files of `infra/prometheus`, the text of the collector and of
 * `tandem metrics serve`, and answers what is asked of both clouds. `npm run test:peers -- prometheus` says where it is.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { runProgram } from '@tandem-clouds/command-line/run-program';
import { METRICS_PATH } from '@tandem-clouds/emulators/otlp/server';
import { type OwnStack, startOwnStack } from '@tandem-clouds/local/stack/own-stack';
import { freePort, stop, untilAnswering } from '@tandem-clouds/testkit/peers/peer';
import { PROGRAM } from '../../scripts/commands/program.ts';
import { waitUntil } from '../helpers/wait-until.ts';

const folder = process.env['TANDEM_PEER_PROMETHEUS'];
if (folder === undefined) throw new Error('TANDEM_PEER_PROMETHEUS is not set; run npm run test:peers');

const FILES = path.join(import.meta.dirname, '../../infra/prometheus');
const START_MS = 240_000;

function promtool(args: readonly string[], input?: string): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(path.join(folder ?? '', 'promtool'), args, {
    cwd: FILES,
    encoding: 'utf8',
    ...(input !== undefined && { input }),
  });
  return { code: status, output: stdout + stderr };
}

describe('promtool', () => {
  test.each([
    ['the configuration of this machine', ['check', 'config', 'prometheus.yml']],
    ['the configuration of a global one', ['check', 'config', 'federation.yml']],
    ['the rules', ['check', 'rules', 'rules.yml', 'global-rules.yml']],
    ['what the rules come to', ['test', 'rules', 'rules.test.yml']],
  ])('takes %s', (_, args) => {
    const { code, output } = promtool(args);
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
  });

  test('finds a text that is none, so that the others say something', () => {
    expect(promtool(['check', 'metrics'], 'tandem_up{site="a} 1\n').code).not.toBe(0);
    expect(promtool(['check', 'metrics'], '# TYPE tandem_up counter\ntandem_up 1\n').code).not.toBe(0);
  });
});

describe('Prometheus over both clouds', () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-prometheus-'));
  const closing: (() => unknown)[] = [() => fs.rmSync(dir, { recursive: true, force: true })];
  let stack: OwnStack;
  let exporter: string;
  let url: string;

  beforeAll(async () => {
    stack = await startOwnStack('--ephemeral', '--types', 'off');
    closing.push(() => stack.stop());
    const ending = new AbortController();
    let out = '';
    const exporting = runProgram(PROGRAM, ['metrics', 'serve', '--port', '0', '--stack', stack.dir], {
      out: (text) => (out += text),
      err: (text) => (out += text),
      isTerminal: false,
      colour: false,
      signal: ending.signal,
    });
    closing.push(() => {
      ending.abort();
      return exporting;
    });
    exporter = await waitUntil('the exporter', () => /http:\/\/\S+/.exec(out)?.[0]);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const file = path.join(dir, 'prometheus.yml');
    fs.writeFileSync(file, configOf([stack.describe().traces.url, exporter]));
    const running: ChildProcess = spawn(
      path.join(folder, 'prometheus'),
      [
        `--config.file=${file}`,
        `--storage.tsdb.path=${path.join(dir, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    closing.push(() => stop(running));
    await untilAnswering(`${url}/-/ready`, running, 'prometheus');
  }, START_MS);

  afterAll(async () => {
    for (const close of closing.reverse()) await close();
  }, START_MS);

  /** That of this machine, which asks these in its order, every second, and answers the global questions too. */
  function configOf(targets: readonly string[]): string {
    const config = parse(fs.readFileSync(path.join(FILES, 'prometheus.yml'), 'utf8')) as {
      scrape_configs: object[];
    };
    return stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yml', 'global-rules.yml'].map((name) => path.join(FILES, name)),
      scrape_configs: config.scrape_configs.map((job, i) => ({
        ...job,
        static_configs: [{ targets: [new URL(targets[i] ?? '').host] }],
      })),
    });
  }

  interface Answer {
    readonly data: {
      readonly result: readonly {
        readonly metric: Record<string, string>;
        readonly value: [number, string];
      }[];
    };
  }
  /** Labels → number, of what is one. */
  async function ask(query: string): Promise<{ labels: Record<string, string>; value: number }[]> {
    const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query }).toString()}`);
    expect(response.status).toBe(200);
    const { data } = (await response.json()) as Answer;
    return data.result
      .map(({ metric: { __name__: _, ...labels }, value: [, text] }) => ({ labels, value: Number(text) }))
      .filter(({ value }) => Number.isFinite(value));
  }

  /** A write at each site. */
  async function writeEach(): Promise<void> {
    for (const site of stack.describe().sites) {
      const headers = { 'content-type': 'application/json' };
      const write = await fetch(`${site.url}/write`, { method: 'POST', headers, body: '{"data":{}}' });
      expect(write.status).toBe(201);
    }
  }

  test(
    'answers how many requests there are, how many fail and how long they take, and compares a route',
    async () => {
      const questions = [
        'global:http_requests:rate5m > 0',
        'global:http_errors:ratio5m',
        'global:http_request_duration_seconds:p99_5m',
        'route:http_request_duration_seconds:p99_5m_aws_over_azure{http_route="/write"}',
      ];
      const answers = await waitUntil('an answer to each question', async () => {
        await writeEach();
        const found = await Promise.all(questions.map(ask));
        return found.every(({ length }) => length === 1)
          ? found.map(([one]) => one?.value ?? NaN)
          : undefined;
      });
      const [requests = NaN, errors = NaN, p99 = NaN, ratio = NaN] = answers;
      expect(requests).toBeGreaterThan(0);
      expect(errors).toBe(0);
      expect(p99).toBeGreaterThan(0);
      expect(ratio).toBeGreaterThan(0);
      const byCloud = await ask('cloud_route:http_requests:rate5m{http_route="/write"}');
      expect(byCloud.map(({ labels }) => labels['cloud']).sort()).toEqual(['aws', 'azure']);
    },
    START_MS,
  );

  test(
    'scrapes both, and knows each direction by the sites and by the exporter',
    async () => {
      const sites = stack.describe().sites.map(({ site }) => site);
      const up = await waitUntil('both sites', async () => {
        const found = await ask('tandem_up == 1');
        return found.length === sites.length ? found : undefined;
      });
      expect(up.map(({ labels }) => labels['site']).sort()).toEqual([...sites].sort());
      expect((await ask('up')).map(({ value }) => value)).toEqual([1, 1]);
      const directions = await waitUntil('the metrics of both sweeps', async () => {
        const found = await ask('tandem_heard_ago_seconds');
        return found.length === 2 * sites.length ? found : undefined;
      });
      expect(new Set(directions.map(({ labels }) => labels['job']))).toEqual(
        new Set(['tandem-collector', 'tandem-sites']),
      );
    },
    START_MS,
  );

  test('takes the text of the collector, and of the exporter', async () => {
    for (const address of [stack.describe().traces.url + METRICS_PATH, exporter]) {
      const text = await (await fetch(address)).text();
      expect(text).toContain('tandem_keys_at_risk{');
      expect(promtool(['check', 'metrics'], text)).toEqual({ code: 0, output: '' });
    }
  });
});
