/** What a drill leaves behind: a page for people, a picture, and the same for programs. */
import os from 'node:os';
import path from 'node:path';
import { writeFile } from '@tandem-clouds/command-line/write-file';
import type { Observed } from '../history/observed.ts';
import { type Figure, toMarkdown } from '../report/report.ts';
import { chartOf } from './chart.ts';
import { figuresOf, holds } from './figures.ts';
import { type GroupResult, type Moments, resultOf } from './result.ts';
import { type Second, secondsOf } from './series.ts';

/** Of the file for programs: raised when something that is there changes its meaning or goes. */
const VERSION = 1;

export interface DrillSettings {
  readonly seed: number;
  /** That find the product by DNS. */
  readonly clients: number;
  /** That know both sites and use the product's client. */
  readonly failoverClients: number;
  /** Of each client. */
  readonly periodMs: number;
  readonly ttlSeconds: number;
  readonly checkIntervalSeconds: number;
  readonly failureThreshold: number;
}

/** The file for programs. */
export interface DrillReport {
  readonly version: typeof VERSION;
  readonly drill: string;
  /** RFC 3339. */
  readonly date: string;
  readonly passed: boolean;
  readonly machine: { readonly cores: number; readonly arch: string; readonly node: string };
  readonly settings: DrillSettings;
  readonly victim: string;
  readonly survivor: string;
  /** Milliseconds after the cut. */
  readonly moments: Moments;
  readonly figures: readonly Figure[];
  readonly groups: readonly GroupResult[];
  readonly findings: Observed['findings'];
  readonly seconds: readonly Second[];
}

export function reportOf(observed: Observed, settings: DrillSettings): DrillReport {
  const result = resultOf(observed);
  const figures = figuresOf(observed, result);
  const { drill, victim, survivor, findings } = observed;
  return {
    version: VERSION,
    drill,
    date: new Date(observed.beganMs).toISOString(),
    passed: holds(figures),
    machine: { cores: os.availableParallelism(), arch: os.arch(), node: process.version },
    settings,
    victim,
    survivor,
    moments: result.moments,
    figures,
    groups: result.groups,
    findings: findings.slice(0, FINDINGS_MAX),
    seconds: secondsOf(observed),
  };
}

const FINDINGS_MAX = 50;

/** Writes the three files and returns the paths of those for people. */
export function writeReport(
  report: DrillReport,
  dir: string,
): { readonly page: string; readonly picture: string } {
  const name = `${report.date.slice(0, 10)}-${report.drill}`;
  const file = (extension: string): string => path.join(dir, `${name}.${extension}`);
  writeFile(file('svg'), chartOf(report, report.moments, report.seconds));
  writeFile(file('json'), `${JSON.stringify(report)}\n`);
  writeFile(file('md'), pageOf(report, `${name}.svg`));
  return { page: file('md'), picture: file('svg') };
}

/** The page, in Markdown. */
export function pageOf(report: DrillReport, picture: string): string {
  const { drill, date, passed, machine, settings, victim, figures, groups, findings } = report;
  const { clients, failoverClients, periodMs, ttlSeconds, checkIntervalSeconds, failureThreshold, seed } =
    settings;
  return [
    `# ${drill}, ${date.slice(0, 10)}: ${passed ? 'passed' : 'FAILED'}`,
    '',
    `${victim} was killed (SIGKILL to its functions, bridge and emulators) under load, kept dead, and brought back.`,
    `${clients} clients found the product by DNS only, each with a request every ${periodMs} ms on average. Checks every ` +
      `${checkIntervalSeconds} s, ${failureThreshold} failures take a site out, TTL ${ttlSeconds} s: so ` +
      `${checkIntervalSeconds * failureThreshold + ttlSeconds} s and the time of a request are the most that a ` +
      'client which honours the TTL can be without an answer.',
    `${failoverClients} more knew both sites and used [the client](../client.md), which goes to the other one by itself.`,
    '',
    `![Good answers, errors and keys at risk a second, and what happened when](${picture})`,
    '',
    '## Figures',
    '',
    ...toMarkdown(figures),
    '',
    '## Timeline',
    '',
    ...timelineOf(report),
    '',
    '## Errors',
    '',
    ...errorsOf(groups),
    '',
    ...(findings.length === 0
      ? []
      : [
          '## Findings',
          '',
          ...findings.map(({ invariant, key = '', detail }) => `- ${invariant} ${key}: ${detail}`),
          '',
        ]),
    `${machine.cores} cores, ${machine.arch}, Node ${machine.node}; seed ${seed}. [How to read this](README.md).`,
    '',
  ].join('\n');
}

const EVENTS: Readonly<Record<keyof Moments, string>> = {
  firstGood: 'first good answer of the other site to a client that was on the lost one',
  detected: "the DNS server's health check gives the site up",
  redirected: 'from here on no DNS answer leads there',
  lastError: 'last error of a client that honours the TTL',
  allServed: 'each of them has had a good answer since',
  fullCapacity: 'good answers are back at their level of before',
  back: 'the site may start again',
  serves: 'its functions and its bridge are ready',
  converged: 'every write that was acknowledged before the return is at both sites',
  inRotation: 'first DNS answer that leads there again',
};

function timelineOf({ moments, victim }: DrillReport): string[] {
  const known = Object.entries(EVENTS).flatMap(([moment, reported]) => {
    const ms = moments[moment as keyof Moments];
    return ms === undefined ? [] : [{ ms, reported }];
  });
  return [
    '| after the cut | what |',
    '| ---: | --- |',
    `| 0 s | ${victim} is killed |`,
    ...known
      .toSorted((a, b) => a.ms - b.ms)
      .map(({ ms, reported }) => `| ${(ms / 1_000).toFixed(1)} s | ${reported} |`),
  ];
}

function errorsOf(groups: readonly GroupResult[]): string[] {
  const after = (ms: number | undefined): string => (ms === undefined ? '' : `${(ms / 1_000).toFixed(1)} s`);
  return [
    '| clients that … | clients | requests | errors | kinds | first | last |',
    '| --- | ---: | ---: | ---: | --- | ---: | ---: |',
    ...groups.map(({ group, clients, requests, errors, firstErrorMs, lastErrorMs }) => {
      const kinds = Object.entries(errors).sort(([, a], [, b]) => b - a);
      const all = kinds.reduce((sum, [, times]) => sum + times, 0);
      const reported = kinds.map(([kind, times]) => `${kind} × ${times}`).join(', ');
      return `| ${group} | ${clients} | ${requests} | ${all} | ${reported} | ${after(firstErrorMs)} | ${after(lastErrorMs)} |`;
    }),
  ];
}
