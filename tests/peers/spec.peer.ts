/**
 * The specifications of `docs/spec/` in TLC; `npm run test:peers` installs it and says where it is. Each model says in its
 * first line what TLC must find: that all holds, or which property a planted defect breaks. The table of
 * `docs/spec/README.md` must say the same, with the number of states or the length of the trace.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';

const jar = process.env['TANDEM_PEER_TLC'];
if (jar === undefined) throw new Error('TANDEM_PEER_TLC is not set; run npm run test:peers');

const SPEC = path.join(import.meta.dirname, '../../docs/spec');
const MODEL_MS = 600_000;

const models = fs.readdirSync(SPEC).filter((name) => name.endsWith('.cfg'));
const readme = fs.readFileSync(path.join(SPEC, 'README.md'), 'utf8');

describe('the specifications', () => {
  it.each(models)(
    '%s comes out as it says',
    async (model) => {
      const [, expected] =
        /^\\\* (holds|breaks \w+)\n/.exec(fs.readFileSync(path.join(SPEC, model), 'utf8')) ?? [];
      const found = await check(model);
      expect(found.result).toBe(expected);
      expect(rowOf(model)).toEqual([expected, found.size]);
    },
    MODEL_MS,
  );

  it('has a row in its table for each model, and no other', () => {
    const named = [...readme.matchAll(/^\| `([\w.-]+\.cfg)`/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual([...models].sort());
  });
});

/** What the table says of a model: the result, and the states or the length of the trace. */
function rowOf(model: string): readonly (string | undefined)[] {
  const row = readme.split('\n').find((line) => line.startsWith(`| \`${model}\``)) ?? '';
  const cells = row.split('|').map((cell) => cell.trim().replaceAll('`', ''));
  return cells.slice(-3, -1);
}

interface Found {
  readonly result: string;
  /** Of what holds all distinct states; of a broken invariant those of the shortest trace. */
  readonly size: string;
}

/** One worker, so that the trace is the shortest and the numbers are the same each time; no state without a next one is a fault. */
async function check(model: string): Promise<Found> {
  const states = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-tlc-'));
  try {
    const [module = ''] = model.split('.');
    const options = ['-workers', '1', '-deadlock', '-metadir', states, '-config', model, `${module}.tla`];
    const java = ['java', '-XX:+UseSerialGC', '-Xmx2g', '-cp', jar ?? '', 'tlc2.TLC', ...options];
    const tlc = spawn('nice', ['-n', '10', ...java], { cwd: SPEC, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    tlc.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await once(tlc, 'close');
    return read(output);
  } finally {
    fs.rmSync(states, { recursive: true, force: true });
  }
}

function read(output: string): Found {
  const [, invariant] = /Error: Invariant (\w+) is violated/.exec(output) ?? [];
  const trace = String(output.match(/^State \d+: /gm)?.length ?? 0);
  if (invariant !== undefined) return { result: `breaks ${invariant}`, size: trace };
  // TLC does not name a temporal property, of which there is one, and its traces need not be the shortest.
  if (output.includes('Error: Temporal properties were violated'))
    return { result: 'breaks Converges', size: '' };
  const [, distinct] = /(\d+) distinct states found, 0 states left on queue/.exec(output) ?? [];
  if (!output.includes('Model checking completed. No error has been found.') || distinct === undefined)
    throw new Error(`TLC ended otherwise:\n${output.slice(-2_000)}`);
  return { result: 'holds', size: Number(distinct).toLocaleString('en') };
}
