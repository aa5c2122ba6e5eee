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
   * Of all builds that the process has loaded it is for those that are as the bundle is now, as editors find them: a
   * breakpoint by URL would be moved to where the text of the line is in the build that happens to come first.
   * @see https://github.com/v8/v8/blob/main/src/inspector/v8-debugger-agent-impl.cc adjustBreakpointLocation
   * @returns So many places in what runs now stop at this line of a source.
   */
  async breakAt(source: string, line: number): Promise<number> {
    const bundles = await waitUntil('the bundle', () => {
      const parsed = this.#messages.filter(
        ({ method, params }) =>
          method === 'Debugger.scriptParsed' && String(params?.['url']).endsWith('/app.cjs'),
      );
      return parsed.length > 0 ? parsed : undefined;
    });
    const file = fileURLToPath(String(bundles[0]!.params?.['url']));
    const text = fs.readFileSync(file, 'utf8');
    const lineNumber = generatedLine(file, source, line);
    let places = 0;
    for (const { params } of bundles) {
      const scriptId = params?.['scriptId'];
      const { scriptSource } = await this.#send('Debugger.getScriptSource', { scriptId });
      if (scriptSource !== text) continue;
      await this.#send('Debugger.setBreakpoint', { location: { scriptId, lineNumber } });
      places += 1;
    }
    return places;
  }

  /** Resolves when the process has stopped, and lets it go on. */
  async pausedOnce(): Promise<void> {
    await waitUntil('a stop', () => this.#messages.find(({ method }) => method === 'Debugger.paused'));
    await this.#send('Debugger.disable');
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

/** Both count from 0 where the inspector does, and from 1 where people do. */
function generatedLine(bundle: string, source: string, line: number): number {
  const map = new SourceMap(JSON.parse(fs.readFileSync(`${bundle}.map`, 'utf8')) as SourceMapPayload);
  const lines = fs.readFileSync(bundle, 'utf8').split('\n');
  const found = lines.findIndex((text, generated) => {
    const entry = map.findEntry(generated, text.length);
    return (
      'originalSource' in entry && entry.originalSource.endsWith(source) && entry.originalLine === line - 1
    );
  });
  if (found < 0) throw new Error(`${bundle} has nothing of ${source}:${line}`);
  return found;
}
