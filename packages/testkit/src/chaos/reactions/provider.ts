/**
 * The provider that reactions call: it does what has the same `Idempotency-Key` once, forgets nothing, and keeps what it was
 * asked. It may be slow, fail, or lose its answers.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ProviderCall, REFUSED, type Reply } from '../../history/reacted.ts';
import type { Random } from '../../random.ts';

/** `failing`: 500 before anything is done. `silent`: done, and no answer. `slow`: done, and answered too late. `down`: all 503. */
export type ProviderFault = 'failing' | 'silent' | 'slow' | 'down';

const HIT = 0.7;
const SLOW_MS = { from: 1_000, to: 5_000 } as const;
const STATUS: Readonly<Record<Reply, number>> = {
  done: 200,
  late: 200,
  lost: 200,
  failed: 500,
  refused: 422,
};

interface Imposed {
  readonly fault: ProviderFault;
  /** For calls of this site only. */
  readonly site: string | undefined;
}

export class Provider {
  readonly calls: ProviderCall[] = [];
  /** Takes each call as it comes, before it is answered. */
  onCall: (call: ProviderCall) => void = () => undefined;
  readonly #random: Random;
  readonly #server: http.Server;
  readonly #done = new Set<string>();
  readonly #imposed = new Set<Imposed>();

  private constructor(random: Random) {
    this.#random = random;
    this.#server = http.createServer((request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(String(error)));
      });
    });
  }

  /** Listens on a free port of the loopback. */
  static async open(random: Random): Promise<Provider> {
    const provider = new Provider(random);
    await new Promise<void>((resolve, reject) => {
      provider.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return provider;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/notices`;
  }

  /** Of several faults the latest counts; the result takes it away again. */
  impose(fault: ProviderFault, site?: string): () => void {
    const imposed = { fault, site };
    this.#imposed.add(imposed);
    return () => void this.#imposed.delete(imposed);
  }

  heal(): void {
    this.#imposed.clear();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { key, change, site } = (await json(request)) as Pick<ProviderCall, 'change' | 'key' | 'site'>;
    const effectId = request.headers['idempotency-key'];
    if (typeof effectId !== 'string') throw new TypeError('an Idempotency-Key is needed');
    const reply = this.#replyTo(change, site);
    const performed = reply !== 'failed' && reply !== 'refused' && !this.#done.has(effectId);
    if (performed) this.#done.add(effectId);
    const call = { atMs: Date.now(), effectId, key, change, site, performed, reply };
    this.calls.push(call);
    this.onCall(call);
    if (reply === 'lost') {
      response.destroy();
      return;
    }
    if (reply === 'late') await sleep(this.#random.between(SLOW_MS.from, SLOW_MS.to));
    if (!response.destroyed)
      response.writeHead(STATUS[reply], { 'content-type': 'application/json' }).end('{}');
  }

  #replyTo(change: string, site: string): Reply {
    const { fault } =
      [...this.#imposed].findLast((each) => each.site === undefined || each.site === site) ?? {};
    if (fault === 'down') return 'failed';
    if (fault !== undefined && this.#random.chance(HIT)) {
      if (fault === 'failing') return 'failed';
      if (!change.endsWith(REFUSED)) return fault === 'silent' ? 'lost' : 'late';
    }
    return change.endsWith(REFUSED) ? 'refused' : 'done';
  }
}
