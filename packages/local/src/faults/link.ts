/**
 * The way from one site to the inbound queue of another, or to its storage of objects, as a fault or a drill holds it in its hand: a TCP relay that can be cut.
 *
 * Invariant: bytes that it passes on keep their order, and what is stalled is late, not lost, as on a network that
 * resends. It knows nothing of what it carries.
 */
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const HOST = '127.0.0.1';

/** How a link fails. */
export type Cut = 'refused' | 'stalled' | 'deaf';

/**
 * `open` passes everything on. `refused` drops connections and takes none. `stalled` keeps them and passes nothing
 * on. `deaf` passes requests on and holds the answers back: the sender cannot know that it was heard.
 */
export type LinkMode = 'open' | Cut;

interface Pair {
  readonly near: net.Socket;
  readonly far: net.Socket;
}

export class Link {
  readonly #server = net.createServer((socket) => this.#accept(socket));
  readonly #pairs = new Set<Pair>();
  #mode: LinkMode = 'open';
  #delayMs = 0;
  /** Bytes that have come from where it leads to. */
  received = 0;
  /** Where it leads to on 127.0.0.1; nobody gets through before it is set. */
  targetPort: number | undefined;

  /** Listens and returns the port; 0 is a free one. */
  async listen({ host = HOST, port = 0 } = {}): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, host, resolve);
    });
    return this.port;
  }

  /** Where it listens. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  set mode(mode: LinkMode) {
    this.#mode = mode;
    for (const pair of this.#pairs) this.#govern(pair);
  }

  /** Milliseconds that everything takes longer, each way. */
  set delayMs(delayMs: number) {
    this.#delayMs = delayMs;
  }

  async close(): Promise<void> {
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(near: net.Socket): void {
    if (this.#mode === 'refused' || this.targetPort === undefined) {
      near.on('error', () => undefined);
      near.resetAndDestroy();
      return;
    }
    const far = net.connect({ host: HOST, port: this.targetPort, noDelay: true });
    near.setNoDelay(true);
    const pair = { near, far };
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    this.#relay({ from: near, to: far, pair }, end);
    this.#relay({ from: far, to: near, pair }, end);
    far.on('data', (chunk: Buffer) => void (this.received += chunk.length));
    this.#govern(pair);
  }

  #relay({ from, to, pair }: { from: net.Socket; to: net.Socket; pair: Pair }, end: () => void): void {
    let last: Promise<void> = Promise.resolve();
    from.on('data', (chunk: Buffer) => {
      const delayMs = this.#delayMs;
      const before = last;
      const waited = delayMs > 0 ? sleep(delayMs) : undefined;
      last = (async () => {
        await before;
        await waited;
        if (to.destroyed || to.write(chunk)) return;
        // Memory holds what the slower side has not taken: no more is read until it has.
        from.pause();
        to.once('drain', () => this.#govern(pair));
      })();
    });
    from.on('error', () => undefined);
    from.on('close', () => void last.then(end));
  }

  #govern({ near, far }: Pair): void {
    switch (this.#mode) {
      case 'open':
        near.resume();
        far.resume();
        break;
      case 'stalled':
        near.pause();
        far.pause();
        break;
      case 'deaf':
        near.resume();
        far.pause();
        break;
      case 'refused':
        near.resetAndDestroy();
        far.resetAndDestroy();
        break;
    }
  }
}
