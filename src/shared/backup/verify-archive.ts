/** Reads an archive of a site from end to end, and names everything that is wrong with it. */
import { AppError, isRetryable } from '@tandem-clouds/replication/errors';
import type { Contents } from '@tandem-clouds/replication/objects/content';
import type { SiteId } from '@tandem-clouds/replication/stamp';
import { archiveAtOnce, archiveMarginMs } from '../bounds.ts';
import { listFulls, readFull } from './full.ts';
import { brokenLinks, readManifests } from './manifest.ts';
import { nameOf } from './names.ts';
import { type ArchiveStorage, eachAtOnce, listArchive, readFile } from './storage.ts';

export interface Verification {
  readonly site: SiteId;
  /** Files whose bytes were read and compared with the digest of their names. */
  readonly files: number;
  readonly records: number;
  readonly contents: number;
  /** Of the last manifest, RFC 3339; absent: there is none yet. */
  readonly safeTime?: string;
  /** Segments that no manifest names yet. */
  readonly unsealed: number;
  /** Sentences, each of which names an object and a rule. */
  readonly problems: readonly string[];
}

interface VerifyOptions {
  readonly site: SiteId;
  /** Which records have content; of those the last full names, the bytes must be there in their size. */
  readonly contents?: Contents | undefined;
  readonly nowMs: number;
  readonly progress?: (done: number, all: number) => void;
}

/** @throws what the storage throws when it does not answer. */
export async function verifyArchive(
  storage: ArchiveStorage,
  { site, contents, nowMs, progress = () => undefined }: VerifyOptions,
): Promise<Verification> {
  const problems: string[] = [];
  const attempt = async <Result>(act: () => Promise<Result>): Promise<Result | undefined> => {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof AppError) || isRetryable(error)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  const manifests = (await attempt(() => readManifests(storage, site))) ?? [];
  problems.push(...brokenLinks(manifests));
  const segments = (await listArchive(storage, site, 'segments')).flatMap((each) =>
    each.kind === 'segment' ? [each] : [],
  );
  const there = new Map(segments.map((each) => [nameOf(each), each.bytes]));
  const oldestMs = segments[0]?.ms ?? Infinity;
  for (const { ms, manifest } of manifests)
    for (const { name, bytes } of manifest.segments) {
      // Those of manifests from before the oldest segment that is there may be past their retention.
      if (there.get(name) === undefined && ms > oldestMs + archiveMarginMs)
        problems.push(`${name}: it is missing`);
      else if (there.has(name) && there.get(name) !== bytes)
        problems.push(`${name}: it has ${there.get(name) ?? 0} bytes, its manifest says ${bytes}`);
    }
  const sealed = new Set(manifests.flatMap(({ manifest }) => manifest.segments.map(({ name }) => name)));
  const fulls = (await listFulls(storage, site)).filter(({ complete }) => complete !== undefined);
  for (const full of fulls) await attempt(() => readFull(storage, full));
  const last = fulls.at(-1);
  const named = new Map<string, number>();
  const files = [...fulls.flatMap(({ parts }) => parts), ...segments];
  let records = 0;
  let done = 0;
  await eachAtOnce(files, archiveAtOnce, async (name) => {
    const file = await attempt(() => readFile(storage, name));
    records += file?.records.length ?? 0;
    if (name.kind === 'part' && last?.parts.includes(name) === true)
      for (const { key, state } of file?.records ?? []) {
        const content = contents?.of(key, state, nowMs)?.content;
        if (content === undefined) continue;
        named.set(nameOf({ kind: 'content', site, key, upload: content.upload }), content.bytes);
      }
    done += 1;
    progress(done, files.length);
  });
  const held = new Map(
    (await listArchive(storage, site, 'contents')).map((each) => [nameOf(each), each.bytes]),
  );
  for (const [name, bytes] of named) {
    const size = held.get(name);
    if (size === undefined) problems.push(`${name}: it is missing, and the last full names it`);
    else if (size !== bytes) problems.push(`${name}: it has ${size} bytes, its record says ${bytes}`);
  }
  const safeTime = manifests.at(-1)?.manifest.safeTime;
  return {
    site,
    files: files.length + manifests.length + fulls.length,
    records,
    contents: held.size,
    ...(safeTime !== undefined && { safeTime }),
    unsealed: segments.filter((each) => !sealed.has(nameOf(each))).length,
    problems,
  };
}
