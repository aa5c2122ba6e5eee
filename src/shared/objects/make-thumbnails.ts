/** Does what the steps of pictures ask for: reads a picture, has it made smaller, and puts that into the storage of this site. */
import { UnavailableError } from '@tandem-clouds/replication/errors';
import { type Content, storageName } from '@tandem-clouds/replication/objects/content';
import type { OutsideEffect } from '@tandem-clouds/replication/reactions/react';
import { pictureBytesMax } from '../bounds.ts';
import { crc64Of } from '../crc64.ts';
import {
  IMAGES,
  type MadeThumbnail,
  THUMBNAIL_TYPE,
  type ThumbnailsAnswer,
  type ThumbnailsCall,
} from '../domain/pictures/thumbnails.ts';
import { ContentMismatchError, NotFoundError } from '../errors.ts';
import type { Images, MadeImage } from '../ports/images.ts';
import type { Objects } from '../ports/objects.ts';
import { bodyOf, type Storages } from './perform.ts';

export interface ThumbnailMaking extends Pick<Storages, 'site' | 'own' | 'peers'> {
  readonly images: Images;
  readonly now: () => number;
}

/** @throws UnavailableError where no site that has the bytes answers, as storages do otherwise */
export async function makeThumbnails(
  { service, call }: OutsideEffect,
  making: ThumbnailMaking,
): Promise<ThumbnailsAnswer> {
  if (service !== IMAGES) throw new TypeError(`nobody is asked for ${service}`);
  const asked = call as ThumbnailsCall;
  const { site, own, images } = making;
  if (own === undefined) throw new UnavailableError(`${site} has no place for objects`);
  const { bytes } = asked.content;
  if (bytes > pictureBytesMax)
    return {
      kind: 'refused',
      reason: 'too_many_bytes',
      detail: `has ${bytes} bytes; ${pictureBytesMax} are taken`,
    };
  const body = await anyBodyOf(asked, making);
  const made = await images.make(body, asked.sizes);
  if (made.kind === 'refused') return made;
  const { width, height } = made;
  const thumbnails = await Promise.all(
    made.images.map(async (image): Promise<MadeThumbnail> => {
      const { key = '' } = asked.sizes.find(({ name }) => name === image.name) ?? {};
      const content = await put(own, key, image, { ...making, of: asked.content });
      return { name: image.name, key, width: image.width, height: image.height, content };
    }),
  );
  return { kind: 'made', width, height, thumbnails };
}

/** From this site, or from one that says it has them. What is damaged at one of them, or on its way, may be whole at another. */
async function anyBodyOf(
  { key, content, heldBy }: ThumbnailsCall,
  making: ThumbnailMaking,
): Promise<Uint8Array> {
  const name = storageName(key, content.upload);
  let why: unknown;
  for (const from of [making.site, ...heldBy.filter((each) => making.peers.has(each))]) {
    try {
      return await bodyOf(making, { from, name }, content);
    } catch (error) {
      if (!(error instanceof NotFoundError || error instanceof ContentMismatchError)) throw error;
      why = error;
    }
  }
  throw new UnavailableError(`the bytes of ${content.upload} are not to be had`, { cause: why });
}

/** The same upload for the same bytes at this site: what an attempt before has put is there already. */
async function put(
  own: Objects,
  key: string,
  { bytes }: MadeImage,
  { site, now, of }: Pick<ThumbnailMaking, 'site' | 'now'> & { readonly of: Content },
): Promise<Content> {
  const crc64 = crc64Of(bytes);
  const upload = `${site}.${uploadHalf(of.upload)}${Buffer.from(crc64, 'base64').toString('hex')}`;
  const written = await own.put(storageName(key, upload), bytes, {
    contentType: THUMBNAIL_TYPE,
    checksums: { crc64 },
    isCompared: true,
    createOnly: true,
  });
  return {
    upload,
    bytes: bytes.byteLength,
    crc64,
    contentType: THUMBNAIL_TYPE,
    ...(written.versionId !== undefined && { versionId: written.versionId }),
    completedMs: now(),
  };
}

/** When the picture was announced. */
function uploadHalf(upload: string): string {
  return upload.slice(upload.lastIndexOf('.') + 1).slice(0, 16);
}
