/**
 * libvips as a bundle holds it: the library's one function and its module of WebAssembly, so that a function needs no file beside
 * it. Only esbuild makes something of this module; elsewhere tests/helpers/vips-files.ts gives the same (jest.config.js).
 */
import type { VipsFiles } from './vips-images.ts';

/* By `require`: the CommonJS build is one function that refers to nothing outside itself, so its text is the library. */
/* eslint-disable @typescript-eslint/no-require-imports */
const vips = require('wasm-vips') as () => unknown;
/** Its bytes (`loader` in both service definitions). */
const wasm = require('wasm-vips/vips.wasm') as Uint8Array<ArrayBuffer>;
/* eslint-enable @typescript-eslint/no-require-imports */

export const vipsFiles: VipsFiles = { library: vips.toString(), wasm };
