/**
 * The shop at the edge's address: what storages serve in the clouds. It is built anew for every load of the page, so a reload
 * shows what was saved; the names of script and styles change with what is in them, as they do in the clouds.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { bundleStorefront } from '@tandem-clouds/storefront/build/bundle';
import { CONFIG, PAGE, pageHeaders, pagesFor, type ShopConfig } from '@tandem-clouds/storefront/build/page';
import { isAsset, type ShopFile } from '@tandem-clouds/storefront/build/shop-file';

/** Files of earlier builds, for pages that are open. */
const KEPT_MAX = 30;

export class Storefront {
  readonly #config: ShopConfig;
  readonly #files = new Map<string, ShopFile>();

  constructor(config: ShopConfig) {
    this.#config = config;
  }

  /** Whether the request is the shop's; then it is answered. */
  responds(request: IncomingMessage, response: ServerResponse): boolean {
    const { method = '', url = '' } = request;
    const path = url.split('?', 1)[0] ?? '';
    if (method !== 'GET' && method !== 'HEAD') return false;
    if (path === '/') void this.#respondPage(request, response);
    // No path of the API has a dot in its only part, so that these are the shop's: `/app-….js`, `/site.json`.
    else if (path === `/${CONFIG}` || isAsset(path.slice(1)))
      this.#respond(request, response, this.#fileOf(path.slice(1)));
    else return false;
    return true;
  }

  #fileOf(name: string): ShopFile | undefined {
    return name === CONFIG
      ? pagesFor(this.#config, []).find((file) => file.name === name)
      : this.#files.get(name);
  }

  async #respondPage(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const assets = await bundleStorefront();
      for (const asset of assets) {
        this.#files.delete(asset.name);
        this.#files.set(asset.name, asset);
      }
      for (const name of [...this.#files.keys()].slice(0, -KEPT_MAX)) this.#files.delete(name);
      this.#respond(
        request,
        response,
        pagesFor(this.#config, assets).find(({ name }) => name === PAGE),
      );
    } catch (error) {
      const text = `The shop could not be built.\n\n${error instanceof Error ? error.message : String(error)}\n`;
      response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
      response.end(text);
    }
  }

  #respond({ method }: IncomingMessage, response: ServerResponse, file: ShopFile | undefined): void {
    if (file === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain', 'cache-control': 'no-store' });
      response.end('There is no such file. Load the page anew.\n');
      return;
    }
    response.writeHead(200, {
      ...pageHeaders(this.#config),
      'content-type': file.contentType,
      'cache-control': file.cacheControl,
      'content-length': file.bytes.length,
    });
    response.end(method === 'HEAD' ? undefined : file.bytes);
  }
}
