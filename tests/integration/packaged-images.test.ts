/** The library that makes pictures smaller, bundled as both service definitions bundle functions, with no file beside it. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from '@jest/globals';
import { build, type BuildOptions } from 'esbuild';
import { parse } from 'yaml';
import { jpegOfTelephone } from '../helpers/pictures.ts';

const run = promisify(execFile);
const PROJECT = path.resolve(import.meta.dirname, '../..');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-images-'));

afterAll(() => {
  fs.rmSync(folder, { recursive: true });
});

test.each(['aws', 'azure'])('makes thumbnails from the one bundle of a function on %s', async (cloud) => {
  const definition = parse(fs.readFileSync(path.join(PROJECT, `serverless.${cloud}.yml`), 'utf8')) as {
    readonly custom: { readonly esbuild: BuildOptions };
  };
  const { bundle, minify, format, target, mainFields, conditions, loader } = definition.custom.esbuild;
  const outfile = path.join(folder, cloud, 'made.cjs');
  await build({
    ...({ bundle, minify, format, target, mainFields, conditions, loader } as BuildOptions),
    platform: 'node',
    outfile,
    stdin: {
      resolveDir: PROJECT,
      loader: 'ts',
      contents: `
        import { openImages } from './src/shared/open-images.ts';
        const images = openImages();
        void images
          .make(Buffer.from(process.argv[2], 'base64'), [{ name: 'small', sidePixels: 16 }])
          .then(async (made) => {
            console.log(JSON.stringify(made, (key, value) => (key === 'bytes' ? value.length : value)));
            await images.close();
          });`,
    },
  });
  const { stdout } = await run(process.execPath, [outfile, jpegOfTelephone().toString('base64')], {
    cwd: folder,
  });
  expect(JSON.parse(stdout)).toEqual({
    kind: 'made',
    width: 32,
    height: 48,
    images: [{ name: 'small', width: 11, height: 16, bytes: expect.any(Number) as unknown }],
  });
});
