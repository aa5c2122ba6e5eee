/** Clients that send pictures. Each goes on at either site until its picture is acknowledged, or its time is over. */
import { setTimeout as sleep } from 'node:timers/promises';
import { crc64Of } from '../../../../../src/shared/crc64.ts';
import type { Endpoint } from '../../cluster/request.ts';
import type { Random } from '../../random.ts';
import { type Announcement, type Answer, ask, sendBytes } from '../objects/uploads.ts';
import type { Sample, Samples } from './samples.ts';

export const SKU = 'chaos-pictures';
/** Of one picture, with everything that befalls it. */
const SENT_WITHIN_MS = 180_000;
const RETRY_AFTER_MS = 500;
/** Bytes that may come with the request. */
const INLINE_MAX = 64 * 1_024;
const INLINE_SHARE = 0.5;
/** Completed where the bytes are not. */
const ELSEWHERE_SHARE = 0.2;

/** A picture that a site has acknowledged. */
export interface Sent extends Pick<Sample, 'expected' | 'seed' | 'what'> {
  readonly id: string;
  readonly site: string;
}

export class PictureClients {
  readonly sent: Sent[] = [];
  /** Given up: neither acknowledged nor, as far as anybody knows, not. */
  givenUp = 0;
  readonly #random: Random;
  readonly #sites: readonly Endpoint[];
  readonly #samples: Samples;
  /** Begins the numbers of samples. */
  readonly #from: number;
  #count = 0;

  constructor(random: Random, sites: readonly Endpoint[], samples: Samples) {
    this.#random = random;
    this.#sites = sites;
    this.#samples = samples;
    this.#from = random.int(1_000_000) * 1_000;
  }

  /** One picture, to its end. @throws Error when a site refuses to take it */
  async send(): Promise<void> {
    const random = this.#random;
    this.#count += 1;
    const number = this.#count;
    const sample = this.#samples.of(this.#from + number);
    const id = `chaos.${number}`;
    const untilMs = performance.now() + SENT_WITHIN_MS;
    const isInline = sample.body.length <= INLINE_MAX && random.chance(INLINE_SHARE);
    let site = random.pick(this.#sites);
    while (performance.now() < untilMs) {
      const isDone = isInline
        ? await this.#sendInline(site, id, sample)
        : await this.#upload(site, id, sample, untilMs);
      if (isDone) {
        const { what, expected, seed } = sample;
        this.sent.push({ id, site: site.name, what, expected, seed });
        return;
      }
      await sleep(RETRY_AFTER_MS);
      site = this.#other(site);
    }
    this.givenUp += 1;
  }

  async #sendInline(site: Endpoint, id: string, { contentType, body }: Sample): Promise<boolean> {
    const upload = { contentType, data: Buffer.from(body).toString('base64') };
    const answer = await this.#announce(site, id, upload);
    return answer !== undefined;
  }

  async #upload(first: Endpoint, id: string, sample: Sample, untilMs: number): Promise<boolean> {
    const random = this.#random;
    const { contentType, body } = sample;
    const answer = await this.#announce(first, id, { contentType, bytes: body.length, crc64: crc64Of(body) });
    if (answer === undefined) return false;
    const announcement = answer.body['upload'] as Announcement;
    const { session } = answer;
    await sendBytes(announcement, body);
    let site = random.chance(ELSEWHERE_SHARE) ? this.#other(first) : first;
    for (let attempt = 0; performance.now() < untilMs; attempt += 1) {
      const done = await ask(site, 'POST', `/pictures/${id}/complete`, {
        body: { upload: announcement.id },
        session,
      }).catch(() => undefined);
      if (done?.status === 200 || (done?.status === 409 && done.body['code'] === 'overtaken')) return true;
      if (done?.status === 409 && attempt > 2) return false;
      if (done?.status === 422) throw new Error(`${id}: ${JSON.stringify(done.body)}`);
      await sleep(RETRY_AFTER_MS);
      site = random.chance(0.5) ? this.#other(site) : site;
    }
    return false;
  }

  async #announce(site: Endpoint, pictureId: string, upload: object): Promise<Answer | undefined> {
    // Of one name, so that what is announced again is the same picture.
    const body = { pictureId, name: pictureId, sku: SKU, alt: 'A picture of chaos', upload };
    const answer = await ask(site, 'POST', '/pictures', { body }).catch(() => undefined);
    if (answer?.status === 400) throw new Error(`${pictureId}: ${JSON.stringify(answer.body)}`);
    return answer !== undefined && answer.status < 300 ? answer : undefined;
  }

  #other(site: Endpoint): Endpoint {
    return this.#sites.find(({ name }) => name !== site.name) ?? site;
  }
}
