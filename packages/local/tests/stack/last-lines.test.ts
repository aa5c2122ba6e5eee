/** What a person sees of a process that died. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import { LastLines } from '../../src/stack/last-lines.ts';
import { notableText } from '../../src/stack/output.ts';

/** The bundler, ended so that Go's runtime writes its crash report. */
async function crashReport(): Promise<string> {
  const own = createRequire(createRequire(import.meta.url).resolve('esbuild'));
  const binary = own.resolve(`@esbuild/${process.platform}-${process.arch}/bin/esbuild`);
  const { version } = own('esbuild/package.json') as { version: string };
  const child = spawn(binary, [`--service=${version}`], { stdio: ['pipe', 'pipe', 'pipe'] });
  let report = '';
  child.stderr.on('data', (chunk: Buffer) => (report += chunk.toString()));
  // It has its signals once it has said which version it is.
  await once(child.stdout, 'data');
  child.kill('SIGQUIT');
  await once(child, 'close');
  return report;
}

test('of a crash report of the bundler the first line is shown, and what came before it', async () => {
  const report = await crashReport();
  expect(report.split('\n').length).toBeGreaterThan(50);
  const shown: string[] = [];
  const lines = new LastLines((line) => {
    const text = notableText(line);
    if (text !== undefined) shown.push(text);
  });
  const stream = lines.stream();
  stream.write(Buffer.from(`error: the reason\n${report}`));
  stream.end();
  expect(lines.lines.slice(0, 2)).toEqual(['error: the reason', 'SIGQUIT: quit']);
  expect(lines.lines.length).toBeLessThan(5);
  expect(shown).toEqual(['error: the reason']);
});

test.each([
  "Error: Cannot find module './x'",
  '    at Object.<anonymous> (/project/src/x.ts:1:2)',
  'TypeError: fetch failed',
  'table tandem is not active yet (ResourceNotFoundException)',
])('%s is remembered', (line) => {
  const lines = new LastLines(() => undefined);
  lines.stream().write(Buffer.from(`${line}\n`));
  expect(lines.lines).toEqual([line]);
});
