/**
 * Clients that upload and read. Each upload goes on at either site until it is acknowledged, or its time is over; reads carry
 * the token of what was acknowledged, so whoever answers must know of it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from '../../cluster/request.ts';
import type { Random } from '../../random.ts';
import { bodyOf, someSize, type Sum, sumOf, sumOfResponse } from './body.ts';

const OWNER = 'chaos';
const RESPONSE_WITHIN_MS = 10_000;
const TRANSFER_WITHIN_MS = 60_000;
/** Of one upload, with everything that befalls it. */
const UPLOAD_WITHIN_MS = 180_000;
const RETRY_AFTER_MS = 500;
/** Of the uploads, those to a name that others use, too. */
const HOT_SHARE = 0.1;
const HOT = 12;
/** Completed where the bytes are not. */
const ELSEWHERE_SHARE = 0.2;
/** Asked for a second time, as a client does whose answer was lost. */
const TWICE_SHARE = 0.1;

/** An upload that may be the content of its name: acknowledged, or nobody knows. */
export interface Uploaded extends Sum {
  readonly name: string;
  readonly id: string;
  readonly upload: string;
  readonly seed: number;
  readonly acknowledged: boolean;
}

export type ReadOutcome = 'right' | 'unavailable' | 'not found' | 'corrupt';

export interface ReadResult {
  readonly name: string;
  readonly site: string;
  readonly outcome: ReadOutcome;
  readonly detail: string;
}

/** Where bytes may be sent. */
export interface Announcement {
  readonly id: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Announced {
  readonly id: string;
  readonly session: string;
  readonly upload: Announcement;
}

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly session: string | undefined;
  readonly location: string | undefined;
}

export class UploadClients {
  readonly uploads: Uploaded[] = [];
  readonly reads: ReadResult[] = [];
  /** Bytes that a site has acknowledged, by the site whose storage they were sent to. */
  readonly acknowledged = new Map<string, { uploads: number; bytes: number }>();
  /** Given up: neither acknowledged nor, as far as anybody knows, not. */
  givenUp = 0;
  readonly #random: Random;
  readonly #sites: readonly Endpoint[];
  /** Name → the token of what was acknowledged of it last. */
  readonly #tokens = new Map<string, { readonly id: string; readonly session: string }>();
  #count = 0;

  constructor(random: Random, sites: readonly Endpoint[]) {
    this.#random = random;
    this.#sites = sites;
  }

  get count(): number {
    return [...this.acknowledged.values()].reduce((sum, { uploads }) => sum + uploads, 0);
  }

  /** One upload, to its end. @param first The site that is asked first. */
  async upload(first: Endpoint): Promise<void> {
    const random = this.#random;
    this.#count += 1;
    const seed = this.#count;
    const name = random.chance(HOT_SHARE) ? `hot/${random.int(HOT)}` : `uploads/${seed}.bin`;
    const bytes = someSize(random);
    const body = bodyOf(seed, bytes);
    const sum = sumOf(body);
    const untilMs = performance.now() + UPLOAD_WITHIN_MS;
    let site = first;
    while (performance.now() < untilMs) {
      const announced = await this.#announce(site, name, sum);
      if (announced !== undefined) {
        await sendBytes(announced.upload, body);
        const isDone = await this.#complete(site, announced, { name, seed, ...sum, untilMs });
        if (isDone) return;
      }
      await sleep(RETRY_AFTER_MS);
      site = this.#other(site);
    }
    this.givenUp += 1;
  }

  /** Reads something that was acknowledged, at a site. */
  async readSome(): Promise<void> {
    if (this.#tokens.size === 0) return;
    const [name, known] = this.#random.pick([...this.#tokens].slice(-400));
    this.reads.push(await this.read(name, known.id, this.#random.pick(this.#sites), known.session));
  }

  /** The bytes of a name at a site, compared with all that were ever uploaded under it. */
  async read(name: string, id: string, site: Endpoint, session?: string): Promise<ReadResult> {
    const result = (outcome: ReadOutcome, detail: string): ReadResult => ({
      name,
      site: site.name,
      outcome,
      detail,
    });
    const known = (): readonly Uploaded[] => this.uploads.filter((each) => each.name === name);
    try {
      const { status, location, body } = await ask(site, 'GET', `/objects/${id}/content`, { session });
      if (status === 404) return result('not found', JSON.stringify(body).slice(0, 200));
      if (status !== 302 || location === undefined) return result('unavailable', `status ${status}`);
      const response = await fetch(location, { signal: AbortSignal.timeout(TRANSFER_WITHIN_MS) });
      if (response.status === 404) return result('not found', `the storage: ${location.slice(0, 120)}`);
      if (response.status !== 200) return result('unavailable', `the storage: status ${response.status}`);
      const got = await sumOfResponse(response);
      if (known().some(({ bytes, crc64 }) => bytes === got.bytes && crc64 === got.crc64))
        return result('right', '');
      // A connection that breaks ends without an error where no length was said.
      const isShort = got.bytes < Number(response.headers.get('content-length') ?? 0);
      return isShort ? result('unavailable', 'cut') : result('corrupt', `${got.bytes} bytes, ${got.crc64}`);
    } catch (error) {
      return result('unavailable', String(error));
    }
  }

  async #announce(site: Endpoint, name: string, { bytes, crc64 }: Sum): Promise<Announced | undefined> {
    const upload = { contentType: 'application/octet-stream', bytes, crc64 };
    const answer = await ask(site, 'POST', '/objects', { body: { name, upload } }).catch(() => undefined);
    if (answer === undefined || answer.status >= 300) return undefined;
    const { id, upload: announced } = answer.body as unknown as Pick<Announced, 'id' | 'upload'>;
    return { id, upload: announced, session: answer.session ?? '' };
  }

  /** False when it has to begin anew. */
  async #complete(
    first: Endpoint,
    { id, upload, session }: Announced,
    { untilMs, ...uploaded }: Omit<Uploaded, 'acknowledged' | 'id' | 'upload'> & { readonly untilMs: number },
  ): Promise<boolean> {
    const random = this.#random;
    let site = random.chance(ELSEWHERE_SHARE) ? this.#other(first) : first;
    const entry = { ...uploaded, id, upload: upload.id };
    // Known before it is asked for: somebody may read it before the answer is here.
    const at = this.uploads.push({ ...entry, acknowledged: false }) - 1;
    for (let attempt = 0; performance.now() < untilMs; attempt += 1) {
      const answer = await ask(site, 'POST', `/objects/${id}/complete`, {
        body: { upload: upload.id },
        session,
      }).catch(() => undefined);
      if (answer?.status === 200) {
        const again = random.chance(TWICE_SHARE);
        if (again)
          await ask(this.#other(site), 'POST', `/objects/${id}/complete`, {
            body: { upload: upload.id },
            session,
          }).catch(() => undefined);
        this.uploads[at] = { ...entry, acknowledged: true };
        this.#tokens.set(entry.name, { id, session: answer.session ?? session });
        this.#acknowledge(first.name, entry.bytes);
        return true;
      }
      // A later upload of this name is its content: this one was in vain, and nothing is owed to it.
      if (answer?.status === 409 && answer.body['code'] === 'overtaken') return true;
      if (answer?.status === 409 && attempt > 2) return false;
      if (answer?.status === 422) throw new Error(`${entry.name}: ${JSON.stringify(answer.body)}`);
      await sleep(RETRY_AFTER_MS);
      site = random.chance(0.5) ? this.#other(site) : site;
    }
    return false;
  }

  #acknowledge(site: string, bytes: number): void {
    const { uploads = 0, bytes: before = 0 } = this.acknowledged.get(site) ?? {};
    this.acknowledged.set(site, { uploads: uploads + 1, bytes: before + bytes });
  }

  #other(site: Endpoint): Endpoint {
    return this.#sites.find(({ name }) => name !== site.name) ?? site;
  }
}

/** Sends bytes to where they were announced, and again; whether they are there is found out by completing it. */
export async function sendBytes({ url, headers }: Announcement, body: Uint8Array): Promise<void> {
  const { 'content-length': _, ...sent } = headers;
  for (let attempt = 0; attempt < 4; attempt += 1) {
    try {
      const signal = AbortSignal.timeout(TRANSFER_WITHIN_MS);
      const response = await fetch(url, { method: 'PUT', headers: sent, body: new Uint8Array(body), signal });
      await response.arrayBuffer();
      // Made again after it was done: 412 at S3, 403 at Blob Storage.
      if (response.ok || (attempt > 0 && [403, 412].includes(response.status))) return;
    } catch {
      // The next attempt, or whoever completes it, finds out.
    }
    await sleep(RETRY_AFTER_MS);
  }
}

/** Whether a record with content says that a site has its bytes. */
export function isHeldBy(record: Answer['body'], { name }: Endpoint): boolean {
  const { content, heldBy } = record as { content?: { upload: string }; heldBy?: readonly string[] };
  return content !== undefined && heldBy?.includes(`${content.upload}@${name}`) === true;
}

/** @throws What the network says */
export async function ask(
  site: Endpoint,
  method: 'GET' | 'POST',
  path: string,
  { body, session }: { readonly body?: object; readonly session?: string | undefined } = {},
): Promise<Answer> {
  const response = await fetch(new URL(path, site.url), {
    method,
    redirect: 'manual',
    headers: {
      'x-tandem-owner': OWNER,
      ...(session !== undefined && session !== '' && { 'x-tandem-session': session }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(RESPONSE_WITHIN_MS),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
    session: response.headers.get('x-tandem-session') ?? undefined,
    location: response.headers.get('location') ?? undefined,
  };
}
