/** How a site fetches the bytes of an upload, claims them, and takes a claim back: directed cases, call by call. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { digest } from '../../../src/shared/digest.ts';
import { ContentMismatchError, NotFoundError } from '../../../src/shared/errors.ts';
import { START_MS, TestSite } from '../../../tests/helpers/test-site.ts';
import { crossingLookMs, holdPauseMaxMs, progressCharactersMax } from '../src/bounds.ts';
import { AmbiguousError, UnavailableError } from '../src/errors.ts';
import type { Json } from '../src/json.ts';
import { contentConditions, isAboutContent } from '../src/objects/conditions.ts';
import {
  claimants,
  CONTENT,
  type Content,
  type Contents,
  HELD_BY,
  HOLD,
  storageName,
} from '../src/objects/content.ts';
import type { ObjectEffect, ObjectFacts, ObjectProtocol } from '../src/objects/effects.ts';
import { holdWithin, recheck } from '../src/objects/hold.ts';
import { driveReact } from '../src/reactions/drive-react.ts';
import { react, type ReactOptions, type Result, type Step, type Unfinished } from '../src/reactions/react.ts';
import { plainValues } from '../src/record.ts';

const [AWS, AZURE, THIRD] = ['aws-1', 'azure-1', 'aws-2'] as const;
const KEY = 'object:a';
/** Bytes of one part here; twice as many come as one body. */
const PART = 8;

const uploadOf = (name: string, text: string): Content => ({
  upload: `${AWS}.${name}`,
  bytes: text.length,
  crc64: digest(text),
  contentType: 'text/plain',
  versionId: 'v1',
  completedMs: START_MS,
});
const SMALL = 'small';
const LARGE = 'a text of several parts, of eight bytes each';
const small = uploadOf('1', SMALL);
const large = uploadOf('2', LARGE);
const nameOf = (content: Content): string => storageName(KEY, content.upload);

const contents: Contents = {
  may: () => true,
  of(_, state) {
    const { content, heldBy = [] } = plainValues(state) as { content?: Content; heldBy?: readonly string[] };
    if (content === undefined) return undefined;
    const by = claimants(heldBy, content.upload);
    return { content, heldBy: by, fromMs: content.completedMs, byMs: content.completedMs };
  },
};

/** What storages have, and what they were asked. */
class Storages {
  readonly asked: string[] = [];
  readonly texts = new Map<string, { text: string; version: string; mute?: boolean }>();
  readonly uploads = new Map<string, Map<number, string>>();
  /** Instead of the next answer to a call. */
  readonly failures: Partial<Record<ObjectEffect['op'], (effect: ObjectEffect) => unknown>> = {};

  put(site: string, content: Content, text: string, more: { version?: string; mute?: boolean } = {}): void {
    this.texts.set(`${site} ${nameOf(content)}`, { text, version: 'v1', ...more });
  }

  at(site: string, content: Content): string | undefined {
    return this.texts.get(`${site} ${nameOf(content)}`)?.text;
  }

  readonly ask = (effect: ObjectEffect): Promise<unknown> => {
    const of =
      effect.op === 'objectHead' ? ` ${effect.at}` : 'source' in effect ? ` ${effect.source.from}` : '';
    this.asked.push(`${effect.op}${of}${'number' in effect ? ` ${effect.number}` : ''}`);
    const failure = this.failures[effect.op];
    // What it throws is what the promise fails with.
    return new Promise((resolve) => {
      resolve(failure === undefined ? this.#answer(effect) : failure(effect));
    });
  };

  #version(site: string, name: string, versionId?: string) {
    const there = this.texts.get(`${site} ${name}`);
    return versionId === undefined || there?.version === versionId ? there : undefined;
  }

  #read({ from, name, versionId }: { from: string; name: string; versionId?: string }): string {
    const there = this.#version(from, name, versionId);
    if (there === undefined) throw new NotFoundError('not there');
    return there.text;
  }

  #answer(effect: ObjectEffect): unknown {
    const name = 'name' in effect ? effect.name : '';
    const here = `${AZURE} ${name}`;
    switch (effect.op) {
      case 'objectHead': {
        const there = this.#version(effect.at, name, effect.versionId);
        if (there === undefined) return undefined;
        const { text, version, mute = false } = there;
        const crc = mute ? {} : { crc64: digest(text) };
        return { bytes: text.length, ...crc, versionId: version, modifiedMs: 0 } satisfies ObjectFacts;
      }
      case 'objectFetch': {
        const text = this.#read(effect.source);
        if (digest(text) !== effect.content.crc64) throw new ContentMismatchError('other bytes');
        this.texts.set(here, { text, version: 'here' });
        return undefined;
      }
      case 'partsBegin': {
        const id = `u${this.uploads.size}`;
        this.uploads.set(id, new Map());
        return { id, name };
      }
      case 'partsList':
        return [...(this.uploads.get(idOf(effect.upload)) ?? [])].map(([number, text]) =>
          partOf(number, text),
        );
      case 'partFetch': {
        const text = this.#read(effect.source).slice(effect.fromByte, effect.fromByte + effect.bytes);
        const parts = this.uploads.get(idOf(effect.upload));
        if (parts === undefined) throw new NotFoundError('no such upload');
        parts.set(effect.number, text);
        return partOf(effect.number, text);
      }
      case 'partsComplete': {
        const parts = this.uploads.get(idOf(effect.upload));
        const text = effect.parts.map(({ number }) => parts?.get(number) ?? '').join('');
        if (digest(text) !== effect.crc64) throw new ContentMismatchError('other parts');
        this.texts.set(`${AZURE} ${(effect.upload as { name: string }).name}`, { text, version: 'here' });
        return undefined;
      }
      case 'partsAbort':
        return void this.uploads.delete(idOf(effect.upload));
      case 'objectDelete':
        if ((effect.versionId ?? '') === this.texts.get(here)?.version) this.texts.delete(here);
        return undefined;
      case 'objectSum':
      case 'objectList':
        throw new TypeError('nobody lists here');
    }
  }
}

const idOf = (upload: Json): string => (upload as { id: string }).id;
const partOf = (number: number, text: string) => ({
  number,
  bytes: text.length,
  crc64: digest(text),
  tag: digest(text),
});

let site: TestSite;
let storages: Storages;
let woken: string[];
const away = (): never => {
  throw new UnavailableError('away');
};

const write = (content: Content, ...holders: string[]) =>
  site.write(KEY, {
    [CONTENT]: { ...content },
    [HELD_BY]: holders.map((holder) => `${content.upload}@${holder}`),
  });
const entry = () => site.held(KEY)?.reactions?.[HOLD];
const claims = (): unknown => {
  const held = site.held(KEY);
  return held && plainValues(held.state)[HELD_BY];
};

/** One message about the record; `rounds` of parts until the time is over. */
async function transfer(rounds = Infinity, options: ReactOptions = {}): Promise<readonly Step[]> {
  let left = rounds;
  const goesOn = (): boolean => (left -= 1) > 0;
  const within = holdWithin(contents, { goesOn, bodyBytesMax: 2 * PART, partBytes: PART, partsAtOnce: 2 });
  return driveReact(react(site.site, KEY, { within, goesOn: () => left > 0, runMs: 60_000, ...options }), {
    resources: { ...site.resources, waker: (keys) => Promise.resolve(void woken.push(...keys)) },
    objects: storages.ask,
  });
}

beforeEach(() => {
  site = new TestSite(AZURE, [AWS, THIRD]);
  site.site = {
    ...site.site,
    reactions: {
      knows: (_, reaction) => isAboutContent(reaction),
      conditions: (key, state, nowMs) =>
        contentConditions(contents, key, state, {
          site: AZURE,
          keptBy: [AZURE, ...site.site.peers],
          nowMs,
          digest,
        }),
    },
  };
  storages = new Storages();
  storages.put(AWS, small, SMALL);
  storages.put(AWS, large, LARGE);
  woken = [];
});

describe('what is small', () => {
  test('is fetched as a whole, and claimed when the own storage says that it is there', async () => {
    await write(small, AWS);
    expect(await transfer()).toMatchObject([{ kind: 'done', reaction: HOLD, lagMs: 0 }]);
    expect(storages.asked).toEqual([`objectHead ${AZURE}`, `objectFetch ${AWS}`, `objectHead ${AZURE}`]);
    expect(claims()).toEqual([`${small.upload}@${AWS}`, `${small.upload}@${AZURE}`]);
    expect(entry()?.effectId).toBeUndefined();
  });

  test('is claimed without a call of another site where it is there already', async () => {
    storages.put(AZURE, small, SMALL);
    await write(small, AWS);
    expect(await transfer()).toMatchObject([{ kind: 'done' }]);
    expect(storages.asked).toEqual([`objectHead ${AZURE}`]);
  });

  test('comes from another site that claims it, where the first one fails', async () => {
    storages.put(THIRD, small, SMALL, { version: 'other' });
    storages.failures.objectFetch = (effect) => {
      delete storages.failures.objectFetch;
      return effect.op === 'objectFetch' && effect.source.from === AWS ? away() : undefined;
    };
    await write(small, THIRD, AWS);
    expect(await transfer()).toMatchObject([{ kind: 'done' }]);
    expect(storages.asked.filter((each) => each.startsWith('objectFetch'))).toEqual([
      `objectFetch ${AWS}`,
      `objectFetch ${THIRD}`,
    ]);
  });

  test('is found where the answer was lost', async () => {
    storages.failures.objectFetch = () => {
      storages.put(AZURE, small, SMALL);
      throw new AmbiguousError('no answer');
    };
    await write(small, AWS);
    expect(await transfer()).toMatchObject([{ kind: 'done' }]);
  });

  test('is not claimed when other bytes came, nor when the storage says that it has stored others', async () => {
    storages.put(AWS, small, 'SMALL');
    await write(small, AWS);
    expect(await transfer()).toMatchObject([
      { kind: 'failed', detail: expect.stringContaining('other bytes') },
    ]);
    storages.failures.objectFetch = () => storages.put(AZURE, small, 'smell');
    site.nowMs += holdPauseMaxMs;
    expect(await transfer()).toMatchObject([{ kind: 'failed' }]);
    expect(claims()).toEqual([`${small.upload}@${AWS}`]);
  });

  test('is asked for by the version that is current where the pinned one is gone', async () => {
    storages.put(AWS, small, SMALL, { version: 'v2' });
    await write(small, AWS);
    expect(await transfer()).toMatchObject([{ kind: 'done' }]);
  });
});

describe('what is here under its name and is something other', () => {
  test('gives way, by its version, to what a source has', async () => {
    storages.put(AZURE, small, 'other', { version: 'bad' });
    storages.failures.objectDelete = (effect) => {
      expect(effect).toMatchObject({ versionId: 'bad' });
      storages.texts.delete(`${AZURE} ${nameOf(small)}`);
    };
    await write(small, AWS);
    expect(await transfer()).toMatchObject([{ kind: 'done' }]);
    expect(storages.at(AZURE, small)).toBe(SMALL);
  });

  test.each([
    ['something other as well', 'lambs', false],
    ['so many bytes and cannot say which', SMALL, true],
  ])('stays where the source has %s', async (_, text, mute) => {
    storages.put(AZURE, small, 'other');
    storages.put(THIRD, small, text, { mute });
    await write(small, THIRD);
    expect(await transfer()).toMatchObject([{ kind: 'failed' }]);
    expect(storages.asked).not.toContain('objectDelete');
  });
});

describe('what is large', () => {
  test('comes in parts, in as many runs as it takes, each going on where the last one ended', async () => {
    await write(large, AWS);
    const [begun, first] = await transfer(1);
    expect([begun?.kind, first?.kind]).toEqual(['unfinished', 'unfinished']);
    expect(entry()).toMatchObject({ dueMs: site.nowMs, progress: { parts: 2, from: AWS } });
    expect(entry()?.attempts).toBeUndefined();
    expect(woken).toEqual([KEY]);
    expect((await transfer()).at(-1)).toMatchObject({ kind: 'done' });
    const fetched = storages.asked.filter((each) => each.startsWith('partFetch')).map((each) => each.at(-1));
    expect(fetched).toEqual(['1', '2', '3', '4', '5', '6']);
    expect(storages.at(AZURE, large)).toBe(LARGE);
    expect(entry()?.progress).toBeUndefined();
  });

  test('is noted as an upload in parts before the first of them is fetched', async () => {
    await write(large, AWS);
    storages.failures.partFetch = away;
    expect(await transfer()).toMatchObject([{ kind: 'unfinished' }, { kind: 'failed' }]);
    expect(entry()).toMatchObject({ attempts: 1, progress: { upload: { id: 'u0' }, parts: 0 } });
  });

  test('is begun anew, with the other source first, where the parts were something other', async () => {
    storages.put(AWS, large, LARGE.toUpperCase(), { mute: true });
    storages.put(THIRD, large, LARGE);
    await write(large, AWS, THIRD);
    expect((await transfer()).map(({ kind }) => kind)).toEqual(['unfinished', 'failed']);
    expect(storages.uploads.size).toBe(0);
    expect(entry()).toMatchObject({ attempts: 1, progress: { from: THIRD } });
    expect(entry()?.progress).not.toHaveProperty('upload');
    site.nowMs += holdPauseMaxMs;
    expect((await transfer()).at(-1)).toMatchObject({ kind: 'done' });
  });

  test('is begun anew where the storage has removed the upload in parts', async () => {
    await write(large, AWS);
    await transfer(1);
    storages.uploads.clear();
    expect((await transfer()).at(-1)).toMatchObject({ kind: 'failed' });
    site.nowMs += holdPauseMaxMs;
    expect((await transfer()).at(-1)).toMatchObject({ kind: 'done' });
  });

  test('counts for nothing once the record names another upload', async () => {
    await write(large, AWS);
    await transfer(1);
    await write(small, AWS);
    expect(entry()?.progress).toBeUndefined();
    expect(await transfer()).toMatchObject([{ kind: 'done' }]);
  });
});

describe('whoever lacks bytes', () => {
  test('tries for days, every few minutes, and is never parked', async () => {
    await write(small, AWS);
    storages.failures.objectFetch = away;
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 600; attempt += 1) {
      expect(await transfer()).toMatchObject([{ kind: 'failed' }]);
      const pauseMs = (entry()?.dueMs ?? Infinity) - site.nowMs;
      pauses.push(pauseMs);
      site.nowMs += pauseMs;
    }
    expect(pauses[0]).toBe(15_000);
    expect(Math.max(...pauses)).toBe(holdPauseMaxMs);
    expect(site.nowMs - START_MS).toBeGreaterThan(2 * 24 * 3_600_000);
    delete storages.failures.objectFetch;
    expect(await transfer()).toMatchObject([{ kind: 'done' }]);
  });

  test('looks once an hour where all who have them are gone for good', async () => {
    await write(small, 'gone-1');
    expect(await transfer()).toMatchObject([{ kind: 'failed', detail: expect.stringContaining('gone-1') }]);
    expect(entry()?.dueMs).toBe(site.nowMs + crossingLookMs);
  });

  test('claims nothing but the content, and none of what it claimed before', async () => {
    await site.write(KEY, {
      [CONTENT]: { ...small },
      [HELD_BY]: [`${large.upload}@${AZURE}`, `${large.upload}@${AWS}`, `${small.upload}@${AWS}`],
    });
    await transfer();
    expect(claims()).toEqual([
      `${large.upload}@${AWS}`,
      `${small.upload}@${AWS}`,
      `${small.upload}@${AZURE}`,
    ]);
  });

  const runs: [string, readonly Unfinished[], string][] = [
    ['gets no further', [{ progress: { parts: 1 } }, { progress: { parts: 1 } }], 'no further'],
    ['leaves nothing', [{}], 'no further'],
    ['leaves too much', [{ progress: 'x'.repeat(progressCharactersMax) }], 'too long'],
  ];
  test.each(runs)('has failed in a run that %s', async (_, endings, detail) => {
    await write(small, AWS);
    const left = [...endings];
    const run = function* (): ObjectProtocol<Result | Unfinished> {
      return left.shift();
    };
    const steps = await transfer(Infinity, {
      within: (_site, _record, reaction) => (reaction === HOLD ? run() : undefined),
    });
    expect(steps.at(-1)).toMatchObject({ kind: 'failed', detail: expect.stringContaining(detail) });
    expect(entry()).toMatchObject({ attempts: 1, dueMs: site.nowMs + 15_000 });
  });
});

describe('a claim', () => {
  const check = () =>
    driveReact(recheck(site.site, KEY, contents), { resources: site.resources, objects: storages.ask });

  test.each([
    ['stands where the storage bears it out', SMALL, {}, 'held'],
    ['stands where the storage cannot say which bytes it has', SMALL, { mute: true }, 'held'],
    ['goes where the bytes are others', 'lambs', {}, 'other'],
    ['goes where there are fewer', 'smal', { mute: true }, 'other'],
  ])('%s', async (_, text, more, expected) => {
    storages.put(AZURE, small, text, more);
    await write(small, AWS, AZURE);
    expect(await check()).toBe(expected);
    expect(entry()?.effectId === undefined).toBe(expected === 'held');
  });

  test('goes where nothing is there, and what is missing is fetched at once', async () => {
    await write(small, AWS, AZURE);
    expect(await check()).toBe('missing');
    expect(await transfer()).toMatchObject([{ kind: 'done' }]);
    expect(await check()).toBe('held');
  });

  test('is left alone where the storage does not answer, and where there is none', async () => {
    await write(small, AWS);
    expect(await check()).toBe('unclaimed');
    await write(small, AZURE);
    storages.failures.objectHead = away;
    await expect(check()).rejects.toThrow(UnavailableError);
    expect(claims()).toEqual([`${small.upload}@${AZURE}`]);
  });

  test('that was made anew meanwhile stands', async () => {
    await write(small, AWS);
    await transfer();
    storages.failures.objectHead = () => undefined;
    const protocol = recheck(site.site, KEY, contents);
    const asked = driveReact(protocol, {
      resources: site.resources,
      objects: async () => {
        delete storages.failures.objectHead;
        storages.texts.delete(`${AZURE} ${nameOf(small)}`);
        await check();
        await transfer();
        return undefined;
      },
    });
    expect(await asked).toBe('missing');
    expect(claims()).toContain(`${small.upload}@${AZURE}`);
  });
});
