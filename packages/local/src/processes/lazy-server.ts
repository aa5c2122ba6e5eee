/**
 * A port that is served by an emulator which is loaded when somebody first connects: most days of a stack pass without an
 * object, and its start shall not wait for their emulators.
 *
 * Invariant: a connection is served by the emulator or ended; after `close` nothing listens, and nothing is opened any more.
 */
import net from 'node:net';
import { HOST } from '../ports.ts';

export interface Acceptor {
  /** Serves a connection that was accepted here. */
  accept(socket: net.Socket): void;
  close(): Promise<void>;
}

export interface LazyServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * @param open Is called once, and again after it has failed.
 * @param report Takes why it has failed.
 * @throws Error when the port is taken.
 */
export async function listenLazily(
  port: number,
  open: () => Promise<Acceptor>,
  report: (error: unknown) => void = console.error,
): Promise<LazyServer> {
  let opened: Promise<Acceptor> | undefined;
  let isClosed = false;
  const waiting = new Set<net.Socket>();
  // What comes before the emulator is there stays in the socket.
  const server = net.createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    waiting.add(socket);
    socket.once('close', () => waiting.delete(socket)).on('error', () => socket.destroy());
    opened ??= open();
    opened.then(
      (emulator) => {
        waiting.delete(socket);
        if (isClosed || socket.destroyed) socket.destroy();
        else {
          emulator.accept(socket);
          socket.resume();
        }
      },
      (error: unknown) => {
        opened = undefined;
        report(error);
        socket.destroy();
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, HOST, resolve);
  });
  return {
    port: (server.address() as net.AddressInfo).port,
    async close() {
      isClosed = true;
      const ended = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of waiting) socket.destroy();
      await opened?.then(
        (emulator) => emulator.close(),
        () => undefined,
      );
      await ended;
    },
  };
}
