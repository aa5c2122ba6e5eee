/**
 * Does a site answer as openapi.yaml says? One request of every kind, good ones and bad ones, each answer checked for
 * status, media type, headers and body.
 *
 * Invariant: what it writes it deletes; an item, which nobody can delete, expires; of an entity that is not removable it writes
 * nothing.
 */
import { type Entity, isCreatable, isRemovable } from '../../src/shared/domain/entity.ts';
import { entities as declared } from '../../src/shared/registry/entities.ts';
import { breaches } from './contract-breaches.ts';
import { type Extra, query, type Response } from './query-site.ts';
import { trialRecord, whyNotTried } from './trial-record.ts';

/** Of an item; the shortest would do. */
const EXPIRES_SECONDS = 60;
const INDEX_INCOMPLETE = 'index_incomplete';

export interface ContractResult {
  /** Answers that were checked. */
  readonly checked: number;
  /** `GET /users: header … is missing`; empty when the contract is kept. */
  readonly broken: readonly string[];
  /** What the site does not answer yet, and why; it is no breach. */
  readonly notYet: readonly string[];
}

/** Never rejects for what the site does. @param entities Those that are tried. */
export async function contract(url: string, entities: readonly Entity[] = declared): Promise<ContractResult> {
  const session = new Session(url);
  try {
    await session.siteItself();
    for (const entity of entities) await session.entity(entity);
    await session.items();
    await session.mistakes();
  } catch (error) {
    session.broken.push(error instanceof Error ? error.message : String(error));
  } finally {
    await session.tidy();
  }
  return { checked: session.checked, broken: session.broken, notYet: session.notYet };
}

class Session {
  readonly #url: string;
  /** Path → what its requests carry. */
  readonly #made = new Map<string, Extra['headers']>();
  readonly broken: string[] = [];
  readonly notYet: string[] = [];
  checked = 0;

  constructor(url: string) {
    this.#url = url;
  }

  async siteItself(): Promise<void> {
    for (const path of ['/region', '/health', '/health/deep', '/replication'])
      await this.#query('GET', path, 200);
  }

  async entity(entity: Entity): Promise<void> {
    const base = `/${entity.collection}`;
    if (isRemovable(entity)) {
      if (!(await this.#oneRecord(entity))) return;
    } else {
      const none = `${base}/contract-${Date.now().toString(36)}`;
      await this.#query('GET', none, 404);
      await this.#query('DELETE', none, 405);
      await this.#list(`${base}?limit=1`, {});
    }
    for (const alias of entity.aliases) await this.#query('POST', alias, 400, { body: { $nobody: true } });
    await this.#query('POST', base, isCreatable(entity) ? 400 : 405, { body: { $nobody: true } });
    const preflight = { origin: 'https://example.com', 'access-control-request-method': 'GET' };
    await this.#query('OPTIONS', base, 204, { headers: preflight });
  }

  /** False when it was not tried. */
  async #oneRecord(entity: Entity): Promise<boolean> {
    const trial = trialRecord(entity, `contract-${Date.now().toString(36)}`);
    const { path: base, body, change, creation, headers: tenant } = trial;
    const created = await this.#send('POST', base, { body, headers: creation });
    const why = whyNotTried(entity, created);
    this.#check(created, why === undefined ? 201 : 403);
    if (why !== undefined) {
      this.notYet.push(`${base}: its records were not tried, because ${why}`);
      return false;
    }
    const path = `${base}/${String(created.json[entity.idField])}`;
    this.#made.set(path, tenant);
    await this.#query('GET', path, 200, { headers: tenant });
    await this.#query('HEAD', path, 200, { headers: tenant });
    await this.#list(`${base}?limit=1`, tenant);
    let etag = created.headers['etag'] ?? '';
    if (change !== undefined) {
      etag = (await this.#query('PATCH', path, 200, { body: change, headers: tenant })).headers['etag'] ?? '';
      await this.#query('PATCH', path, 412, {
        body: change,
        headers: { ...tenant, 'if-match': '"another"' },
      });
    }
    await this.#query('GET', path, 304, { headers: { ...tenant, 'if-none-match': etag } });
    await this.#delete(path);
    await this.#query('GET', path, 404, { headers: tenant });
    return true;
  }

  async items(): Promise<void> {
    const id = `contract-${Date.now().toString(36)}`;
    const item = { id, data: { tried: true }, ttlSeconds: EXPIRES_SECONDS };
    await this.#query('POST', '/write', 201, { body: item });
    await this.#query('POST', '/write', 200, { body: { ...item, data: { tried: 'again' } } });
    await this.#query('GET', `/items/${id}`, 200);
    await this.#query('GET', `/items/${id}-2`, 404);
  }

  async mistakes(): Promise<void> {
    await this.#query('GET', '/no-such-path', 404);
    await this.#query('DELETE', '/region', 405);
  }

  async tidy(): Promise<void> {
    for (const [path, headers = {}] of this.#made)
      await query(this.#url, 'DELETE', path, { headers }).catch(() => undefined);
  }

  /**
   * While a release goes from site to site, an index that it adds cannot be complete: the next site does not have it yet. So
   * there is nothing to wait for here, and no reason to take the release back.
   */
  async #list(path: string, headers: Readonly<Record<string, string>>): Promise<void> {
    const response = await this.#send('GET', path, { headers });
    const isFilling = response.status === 503 && response.json['code'] === INDEX_INCOMPLETE;
    this.#check(response, isFilling ? 503 : 200);
    if (isFilling)
      this.notYet.push(
        `GET ${path}: its index is still being filled, so its answer was not checked; \`tandem status\` shows how far it is`,
      );
  }

  async #delete(path: string): Promise<void> {
    await this.#query('DELETE', path, 204, { headers: this.#made.get(path) ?? {} });
    this.#made.delete(path);
  }

  async #query(method: string, path: string, status: number, extra?: Extra): Promise<Response> {
    const response = await this.#send(method, path, extra);
    this.#check(response, status);
    return response;
  }

  #send(method: string, path: string, extra?: Extra): Promise<Response> {
    return query(this.#url, method, path, extra);
  }

  #check(response: Response, status: number): void {
    const { method, path } = response;
    this.checked += 1;
    const found = breaches(method, path, response);
    if (response.status !== status)
      found.unshift(`${response.status} instead of ${status}: ${response.text.slice(0, 200)}`);
    this.broken.push(...found.map((text) => `${method} ${path}: ${text}`));
  }
}
