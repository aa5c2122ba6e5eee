/** Script, styles and icon of a page, from their sources; the name of each has a hash of what is in it. */
import path from 'node:path';
import { build } from 'esbuild';
import { FOREVER, type ShopFile } from './shop-file.ts';

const SOURCES = path.join(import.meta.dirname, '..');

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** @throws Error with what esbuild says of a mistake. */
export const bundleStorefront = (): Promise<readonly ShopFile[]> => bundlePage(SOURCES);

/** @param dir Where `main.tsx`, `style.css` and `icon.svg` are. @throws Error with what esbuild says of a mistake. */
export async function bundlePage(dir: string): Promise<readonly ShopFile[]> {
  const { outputFiles } = await build({
    absWorkingDir: dir,
    entryPoints: { app: 'main.tsx', style: 'style.css', icon: 'icon.svg' },
    entryNames: '[name]-[hash]',
    outdir: 'dist',
    write: false,
    bundle: true,
    // What is imported while the page runs is a file of its own.
    splitting: true,
    chunkNames: 'part-[hash]',
    format: 'esm',
    platform: 'browser',
    // Browsers of 2024, as the client needs.
    target: ['es2023', 'safari17', 'firefox120', 'chrome120'],
    loader: { '.svg': 'copy' },
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    legalComments: 'none',
    logLevel: 'silent',
  });
  return outputFiles
    .filter(({ path: file }) => path.extname(file) in TYPES)
    .map(({ path: file, contents }) => ({
      name: path.basename(file),
      bytes: contents,
      contentType: TYPES[path.extname(file)] ?? '',
      cacheControl: FOREVER,
    }));
}
