/** A site on loopback that answers what a test gives it, and commands that ask it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runProgram } from '@tandem-clouds/command-line/run-program';
import { PROGRAM } from '../../scripts/commands/program.ts';
import type { closeAfterEach } from './cleanup.ts';

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly authorization: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  /** The body as it was sent. */
  readonly text: string;
}

/** Status, body, and after how many seconds to ask again. */
type Answer = readonly [status: number, value: object, retryAfterSeconds?: number];

/** A site that answers what it is given, in turn. */
export function siteAnswering(later: ReturnType<typeof closeAfterEach>) {
  return async (...answers: readonly Answer[]) => {
    const asked: Asked[] = [];
    const server = createServer((request: IncomingMessage, response: ServerResponse) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const { pathname, searchParams } = new URL(request.url ?? '/', 'http://site');
        const [status, value, retryAfterSeconds] = answers[asked.length] ?? [404, {}];
        asked.push({
          method: request.method ?? '',
          path: pathname,
          query: Object.fromEntries(searchParams),
          body: body === '' ? undefined : JSON.parse(body),
          authorization: request.headers.authorization,
          headers: request.headers,
          text: body,
        });
        const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
        response.writeHead(status, headers).end(JSON.stringify(value));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    later(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
  };
}

/** Runs `tandem <name> …` and collects what it writes. */
export function runCommand(name: string) {
  return async (...args: readonly string[]): Promise<{ code: number; out: string; err: string }> => {
    let [out, err] = ['', ''];
    const code = await runProgram(PROGRAM, [name, ...args], {
      out: (text) => (out += text),
      err: (text) => (err += text),
      isTerminal: false,
      colour: false,
      signal: new AbortController().signal,
    });
    return { code, out, err };
  };
}
