/**
 * From the bytes of a picture to its thumbnails: records of their own, whose bytes cross like those of every object, so that each
 * site serves them from its own storage, and the loss of the site that made them takes none away.
 *
 * Invariant: every step may be taken again. The name of a thumbnail's upload follows from the picture's and from its own bytes, so
 * none is replaced; a thumbnail whose bytes are there already is left as it is; and the picture says `ready` only after all of
 * them are records.
 */
import type { Json } from '@tandem-clouds/replication/json';
import { localWrite } from '@tandem-clouds/replication/local-write';
import { claimants, type Content } from '@tandem-clouds/replication/objects/content';
import { claiming } from '@tandem-clouds/replication/objects/hold';
import { get, type Protocol, type Site } from '@tandem-clouds/replication/protocol';
import type { StepsProtocol } from '@tandem-clouds/replication/reactions/react';
import { isLive, plainValues } from '@tandem-clouds/replication/record';
import { IMAGE_REFUSALS, type ImageRefusal, type ImageSize } from '../../ports/images.ts';
import { VARIANT_READY, VARIANT_REFUSED, variantKey } from '../content.ts';
import type { StepsContext } from '../entity.ts';
import { deletion } from '../entity-service.ts';

/** The longer side, in pixels of the picture. */
export const THUMBNAILS: readonly ImageSize[] = [
  { name: 'small', sidePixels: 160 },
  { name: 'medium', sidePixels: 480 },
  { name: 'large', sidePixels: 1_200 },
];
export const THUMBNAIL_TYPE = 'image/webp';

/** Why a picture is not shown. */
export const pictureRefusals = IMAGE_REFUSALS;

/** Who is asked by the steps. */
export const IMAGES = 'images';

/** What is asked: that thumbnails of a content be made, and put into the storage of this site. */
export interface ThumbnailsCall {
  /** Of the picture. */
  readonly key: string;
  readonly content: Content;
  /** Sites that have its bytes. */
  readonly heldBy: readonly string[];
  /** Each with the key of its record. */
  readonly sizes: readonly (ImageSize & { readonly key: string })[];
}

export interface MadeThumbnail {
  readonly name: string;
  readonly key: string;
  readonly width: number;
  readonly height: number;
  readonly content: Content;
}

export type ThumbnailsAnswer =
  | {
      readonly kind: 'made';
      readonly width: number;
      readonly height: number;
      readonly thumbnails: readonly MadeThumbnail[];
    }
  | { readonly kind: 'refused'; readonly reason: ImageRefusal; readonly detail: string };

/** What the steps know of a picture. */
export interface CheckedPicture {
  readonly id: string;
  readonly content?: unknown;
  readonly heldBy: readonly string[];
  /** Names what is checked. */
  readonly checkedFor: string;
}

/** Of a picture, to be written by the reaction. */
export interface PictureVerdict {
  readonly status: 'ready' | 'refused';
  readonly reason: ImageRefusal | null;
  readonly detail: string | null;
  readonly checkedFor: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly sizes: Readonly<Record<string, { width: number; height: number; bytes: number }>> | null;
}

/** Makes the thumbnails of what a picture holds, or takes away those that it had. */
export function* checkPicture(
  picture: CheckedPicture,
  { site, key }: StepsContext,
): StepsProtocol<PictureVerdict | undefined> {
  const content = picture.content as Content | null | undefined;
  if (content === undefined || content === null) return undefined;
  const { checkedFor } = picture;
  const keyOf = (name: string): string => variantKey('thumbnail', picture.id, name);
  const call: ThumbnailsCall = {
    key,
    content,
    heldBy: claimants(picture.heldBy, content.upload),
    sizes: THUMBNAILS.map((size) => ({ ...size, key: keyOf(size.name) })),
  };
  const answer = (yield { op: 'outside', service: IMAGES, call }) as ThumbnailsAnswer;
  if (answer.kind === 'refused') {
    for (const { name } of THUMBNAILS) yield* takeAway(site, keyOf(name), content.upload);
    const { reason, detail } = answer;
    return {
      status: VARIANT_REFUSED,
      reason,
      detail,
      checkedFor,
      width: null,
      height: null,
      sizes: null,
    };
  }
  for (const thumbnail of answer.thumbnails) yield* keep(site, picture.id, thumbnail);
  return {
    status: VARIANT_READY,
    reason: null,
    detail: null,
    checkedFor,
    width: answer.width,
    height: answer.height,
    sizes: Object.fromEntries(
      answer.thumbnails.map(({ name, width, height, content: { bytes } }) => [
        name,
        { width, height, bytes },
      ]),
    ),
  };
}

function* keep(
  site: Site,
  picture: string,
  { name, key, width, height, content }: MadeThumbnail,
): Protocol<void> {
  yield* localWrite(site, {
    key,
    operationId: `thumbnail/${content.upload}`,
    creates: { keepUnseenTombstone: false },
    decide: (current, live) => {
      const held = live && current !== undefined ? plainValues(current.state)['content'] : undefined;
      if ((held as Content | undefined)?.upload === content.upload) return undefined;
      return {
        picture,
        size: name,
        width,
        height,
        content: { ...content } as unknown as Json,
        ...(!live && { createdAt: new Date(site.now()).toISOString() }),
        ...claiming(current?.state ?? { fields: {}, vector: {} }, content.upload, site.site),
      };
    },
  });
}

/** What was made of the picture before. */
function* takeAway(site: Site, key: string, upload: string): Protocol<void> {
  const record = (yield* get(key))?.record;
  if (record === undefined || !isLive(record.state, site.now())) return;
  yield* localWrite(site, {
    key,
    operationId: `thumbnail-gone/${upload}`,
    decide: (current, live) => (current !== undefined && live ? deletion(current) : undefined),
  });
}
