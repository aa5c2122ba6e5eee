/**
 * `bench worker`: what it takes Microsoft's Node worker to load the packaged Azure app, beside the release before
 * and no app at all. An instance does this at every cold start. TANDEM_FUNCTIONS_WORKER is a built checkout of the
 * worker; `npm run package` comes first.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { placeArtefact } from '@tandem-clouds/local/site-release';
import { unpackPreviousRelease } from '@tandem-clouds/testkit/cluster/previous-release';
import { FunctionsHost } from '@tandem-clouds/testkit/peers/functions-host';
import { functionsWorker } from '@tandem-clouds/testkit/peers/functions-worker';
import {
  commandLine,
  type Figure,
  figure,
  type Findings,
  report,
} from '@tandem-clouds/testkit/report/report';
import { median } from '@tandem-clouds/testkit/report/statistics';
import { ENVIRONMENT } from './bundle/environment.ts';
import { ROOT } from './service-bundles.ts';

const APP = path.join(ROOT, '.artifacts/azure/app');

async function measureApp(name: string, appDir: string, checkout: string, runs: number): Promise<Figure[]> {
  const used: { cpuMs: number; rssMb: number }[] = [];
  let functions = 0;
  for (let run = 0; run < runs; run += 1) {
    const host = await FunctionsHost.start({ checkout, appDir, env: ENVIRONMENT.azure });
    used.push(host.usage());
    functions = host.functions.length;
    await host.close();
  }
  return [
    figure(`${name}: functions`, functions, ''),
    figure(`${name}: processor time`, median(used.map(({ cpuMs }) => cpuMs)), 'ms'),
    figure(`${name}: memory`, median(used.map(({ rssMb }) => rssMb)), 'MB'),
  ];
}

async function measure(runs: number, progress: (line: string) => void): Promise<Findings> {
  const checkout = functionsWorker.install();
  if (!fs.existsSync(path.join(APP, 'package.json')))
    throw new Error(`no package in ${APP}; run npm run package`);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-worker-'));
  try {
    const before = path.join(folder, 'before');
    placeArtefact(unpackPreviousRelease(folder).azure, before);
    const none = path.join(folder, 'none');
    fs.mkdirSync(none);
    fs.writeFileSync(path.join(none, 'package.json'), '{}');
    const figures: Figure[] = [];
    for (const [name, appDir] of [
      ['no app', none],
      ['the release before', before],
      ['the package', APP],
    ] as const) {
      progress(`loading ${name} ${runs} times`);
      figures.push(...(await measureApp(name, appDir, checkout, runs)));
    }
    return {
      figures,
      notes: [
        'from the start of the worker until every function is loaded; medians; processor time in steps of 10 ms',
      ],
    };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the exit status. */
export async function benchWorker({
  runs,
  json,
}: {
  readonly runs: number;
  readonly json: boolean;
}): Promise<number> {
  return report(
    { title: "Microsoft's worker loads the app", json, command: commandLine(process.argv, ROOT) },
    (progress) => measure(runs, progress),
  );
}
