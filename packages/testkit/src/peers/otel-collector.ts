/**
 * OpenTelemetry's Collector, built by its own builder of its core modules from the Go proxy: it takes OTLP, and hands on what it
 * has understood. No server: its suite starts it beside a stack of its own. https://opentelemetry.io/docs/collector/extend/ocb/
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { goProgram } from './go.ts';
import { PEERS, type Program, Unavailable } from './peer.ts';

const VERSION = 'v0.165.0';
const CORE = 'go.opentelemetry.io/collector';
const NAME = 'otelcol';

export const otelCollector: Program = {
  name: 'OpenTelemetry Collector (traces, metrics, logs)',
  suite: 'otel-collector.peer.ts',
  variable: 'TANDEM_PEER_OTEL_COLLECTOR',

  /** Returns its file. The first time takes some minutes: it compiles a program of 38 MB. */
  install() {
    const folder = path.join(PEERS, NAME, VERSION);
    const file = path.join(folder, NAME);
    if (fs.existsSync(file)) return file;
    const builder = goProgram('otel-builder', { main: `${CORE}/cmd/builder`, version: VERSION });
    console.log(`building the OpenTelemetry Collector ${VERSION} in .peers/`);
    fs.mkdirSync(folder, { recursive: true });
    const manifest = path.join(folder, 'builder.yml');
    fs.writeFileSync(
      manifest,
      stringify({
        dist: { name: NAME, output_path: folder },
        receivers: [{ gomod: `${CORE}/receiver/otlpreceiver ${VERSION}` }],
        exporters: [{ gomod: `${CORE}/exporter/otlphttpexporter ${VERSION}` }],
      }),
    );
    const env = { ...process.env, GOPATH: path.join(PEERS, 'go'), GOFLAGS: '-modcacherw' };
    const { status } = spawnSync(builder, ['--config', manifest], { env, stdio: 'inherit' });
    if (status !== 0 || !fs.existsSync(file))
      throw new Unavailable('the OpenTelemetry Collector could not be built');
    return file;
  },
};
