/** The composition of what makes pictures smaller; whatever imports this has the library in its bundle, and loads it when it is used. */
import { VipsImages } from './adapters/images/vips-images.ts';
import type { Images } from './ports/images.ts';

export function openImages(): Images {
  return new VipsImages({ files: async () => (await import('./adapters/images/vips-files.ts')).vipsFiles });
}
