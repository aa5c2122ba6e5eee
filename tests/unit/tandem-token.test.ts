/** `tandem token` with a real issuer on loopback. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { runProgram } from '@tandem-clouds/command-line/run-program';
import { startIssuer } from '@tandem-clouds/emulators/oidc/server';
import { PROGRAM } from '../../scripts/commands/program.ts';
import { closeAfterEach } from '../helpers/cleanup.ts';

const later = closeAfterEach();

async function run(stack: object, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-token-'));
  later(() => fs.rmSync(dir, { recursive: true }));
  fs.writeFileSync(path.join(dir, 'stack.json'), JSON.stringify({ sites: [], ...stack }));
  let out = '';
  let err = '';
  const code = await runProgram(PROGRAM, ['token', '--stack', dir, ...args], {
    out: (text) => (out += text),
    err: (text) => (err += text),
    isTerminal: false,
    colour: false,
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

describe('tandem token', () => {
  test('prints a token of the issuer of the stack, with the scopes that were asked for', async () => {
    const issuer = await startIssuer();
    later(() => issuer.close());
    const { code, out } = await run({ issuer: { url: issuer.url, pid: 1 } }, '--scope', 'tandem/read');
    expect(code).toBe(0);
    expect(decodeJwt(out.trim())).toMatchObject({ iss: issuer.url, aud: 'tandem', scope: 'tandem/read' });
  });

  test('says how to get an issuer when the stack has none', async () => {
    const { code, out, err } = await run({});
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('--protected');
  });

  test('says so when the issuer does not answer', async () => {
    const issuer = await startIssuer();
    await issuer.close();
    const { code, err } = await run({ issuer: { url: issuer.url, pid: null } });
    expect([code, err]).toEqual([1, `${issuer.url}: connection refused\n`]);
  });
});
