/** Collectors that take what they are sent, and some that do not. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { startCollector } from '@tandem-clouds/emulators/otlp/server';
import { freePort } from '@tandem-clouds/testkit/peers/peer';

export interface BenchCollector {
  readonly name: string;
  /** Undefined: nothing is sent. */
  readonly url: string | undefined;
  close(): unknown;
}

const SLOW_MS = 150;

export async function collectors(): Promise<readonly BenchCollector[]> {
  const takes = await startCollector();
  return [
    { name: 'off', url: undefined, close: () => undefined },
    { name: 'on', url: takes.url, close: () => takes.close() },
    { name: 'down', url: `http://127.0.0.1:${await freePort()}`, close: () => undefined },
    await answering(`slow (${SLOW_MS} ms)`, (response) =>
      setTimeout(() => response.writeHead(200).end('{}'), SLOW_MS),
    ),
    await answering('hanging', () => undefined),
    await answering('refusing', (response) => response.writeHead(503).end()),
  ];
}

async function answering(
  name: string,
  answer: (response: http.ServerResponse) => unknown,
): Promise<BenchCollector> {
  const server = http.createServer((request, response) => {
    request.resume().on('end', () => answer(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { name, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}
