/** Attaches to an inspector as an editor does: finds a line of a source by the source map of what runs. */
import fs from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { fileURLToPath } from 'node:url';
import { waitUntil } from './wait-until.ts';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
}

interface Frame {
  readonly location: {
    readonly scriptId: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
}

export class Debugger {
  readonly #socket: WebSocket;
  readonly #messages: Message[] = [];
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) =>
      this.#messages.push(JSON.parse(String(data)) as Message),
    );
  }

  /** @param address `127.0.0.1:9229` */
  static async attach(address: string): Promise<Debugger> {
    const targets = (await (await fetch(`http://${address}/json/list`)).json()) as {
      webSocketDebuggerUrl: string;
    }[];
    const socket = new WebSocket(targets[0]!.webSocketDebuggerUrl);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', reject);
    });
    const attached = new Debugger(socket);
    await attached.#send('Debugger.enable');
    return attached;
  }

  /**
   * By the address of each build that the process has loaded, as editors do: each has a source map of its own.
   * @returns So many places in them stop at this line of a source.
   */
  async breakAt(source: string, line: number): Promise<number> {
    const urls = await waitUntil('the bundles', () => {
      const found = this.#messages
        .filter(({ method }) => method === 'Debugger.scriptParsed')
        .map(({ params }) => String(params?.['url']))
        .filter((url) => /\/app-\w+\.cjs$/.test(url));
      return found.length > 0 ? [...new Set(found)] : undefined;
    });
    let places = 0;
    for (const url of urls) {
      const lineNumber = generatedLine(fileURLToPath(url), source, line);
      if (lineNumber === undefined) continue;
      const { locations } = await this.#send('Debugger.setBreakpointByUrl', { url, lineNumber });
      places += (locations as readonly object[]).length;
    }
    return places;
  }

  /** Resolves when the process has stopped, and lets it go on. @returns Where: `…/src/handlers/items.ts:9`. */
  async pausedOnce(): Promise<string> {
    const paused = await waitUntil('a stop', () =>
      this.#messages.find(({ method }) => method === 'Debugger.paused'),
    );
    await this.#send('Debugger.disable');
    const [top] = paused.params?.['callFrames'] as readonly Frame[];
    const { scriptId, lineNumber, columnNumber } = top!.location;
    const parsed = this.#messages.find(({ params }) => params?.['scriptId'] === scriptId);
    const url = String(parsed?.params?.['url']);
    const found = sourceMapOf(fileURLToPath(url)).findEntry(lineNumber, columnNumber);
    if (!('originalSource' in found)) throw new Error(`${url} has no source`);
    return `${found.originalSource}:${found.originalLine + 1}`;
  }

  close(): void {
    this.#socket.close();
  }

  async #send(method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const id = (this.#id += 1);
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { result } = await waitUntil(method, () => this.#messages.find((message) => message.id === id));
    return result ?? {};
  }
}

function sourceMapOf(bundle: string): SourceMap {
  return new SourceMap(JSON.parse(fs.readFileSync(`${bundle}.map`, 'utf8')) as SourceMapPayload);
}

/**
 * Both count from 0 where the inspector does, and from 1 where people do.
 * @returns Undefined when the bundle has nothing of that line, or is one of those that are not kept.
 */
function generatedLine(bundle: string, source: string, line: number): number | undefined {
  if (!fs.existsSync(bundle)) return undefined;
  const map = sourceMapOf(bundle);
  const lines = fs.readFileSync(bundle, 'utf8').split('\n');
  const found = lines.findIndex((text, generated) => {
    const entry = map.findEntry(generated, text.length);
    return (
      'originalSource' in entry && entry.originalSource.endsWith(source) && entry.originalLine === line - 1
    );
  });
  return found < 0 ? undefined : found;
}
