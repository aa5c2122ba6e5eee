/** A parameter of the command line that a definition does not have ends every command, before it does anything. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = path.join(import.meta.dirname, '../..');

async function sls(...args: string[]): Promise<[number | null, string]> {
  const cli = path.join(ROOT, 'node_modules/serverless/bin/serverless.js');
  const child = spawn(process.execPath, [cli, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  return [code, text];
}

test.each(['aws', 'azure'])(
  'serverless.%s.yml refuses a misspelt parameter, names the right one and packages nothing',
  async (cloud) => {
    const out = path.join(os.tmpdir(), `tandem-parameters-${process.pid}-${cloud}`);
    const args = ['package', '-c', `serverless.${cloud}.yml`, '--package', out];
    const [code, output] = await sls(...args, '--param', 'operatorKey=abc', '--param', 'features.wfa=true');
    expect([code, output]).toEqual([1, expect.stringContaining('operatorKey: there is no such parameter')]);
    expect(output).toContain('did you mean operatorKeys?');
    expect(output).toContain('did you mean features.waf?');
    expect(fs.existsSync(out)).toBe(false);
  },
);

test('a name of the app that another of its resources cannot have is refused, whatever the command', async () => {
  const [code, output] = await sls('info', '-c', 'serverless.azure.yml', '--param', 'app=Acme-Tandem');
  expect([code, output]).toEqual([1, expect.stringContaining("'Acme-Tandem' is not small letters")]);
});
