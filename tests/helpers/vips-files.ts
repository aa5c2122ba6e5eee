/** What src/shared/adapters/images/vips-files.ts gives in a bundle, read from where npm has put it. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import type { VipsFiles } from '../../src/shared/adapters/images/vips-images.ts';

const require = createRequire(import.meta.url);

export const vipsFiles: VipsFiles = {
  library: String(require('wasm-vips')),
  wasm: new Uint8Array(fs.readFileSync(require.resolve('wasm-vips/vips.wasm'))),
};
