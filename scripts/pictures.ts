/**
 * `npm run tandem -- pictures`: `docs/pictures/`, from what the browser test of `docs/demo.md` has seen.
 *
 * Invariant: a walk that failed changes no picture.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Vips from 'wasm-vips';
import { testEndToEnd } from './test-e2e.ts';

const TO = path.join(import.meta.dirname, '../docs/pictures');
/** As shown in a README on a telephone or a desk. */
const STILL_WIDTH = 1_200;
const MOVING_WIDTH = 800;
const SHOWN_MS = 2_200;
/** Scene → picture. */
const STILLS = { overview: 'console.webp', killed: 'console-killed.webp' };

/** Returns the exit status: 1 when the walk failed, or could not be begun. */
export async function makePictures(): Promise<number> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-pictures-'));
  try {
    const status = await testEndToEnd({ suites: ['demo'], only: undefined, pictures: folder });
    if (status === 0) await convert(folder);
    return status;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function convert(folder: string): Promise<void> {
  const scenes = fs
    .readdirSync(folder)
    .filter((file) => file.startsWith('scene-'))
    .toSorted()
    .map((file) => path.join(folder, file));
  const vips = await Vips({ dynamicLibraries: [] });
  fs.mkdirSync(TO, { recursive: true });
  const scaled = (file: string, width: number): Vips.Image =>
    vips.Image.thumbnailBuffer(fs.readFileSync(file), width);
  for (const [scene, name] of Object.entries(STILLS)) {
    const file = scenes.find((each) => each.endsWith(`-${scene}.png`));
    if (file === undefined) throw new Error(`the walk has no scene ${scene}`);
    write(name, scaled(file, STILL_WIDTH).writeToBuffer('.webp', { Q: 80 }));
  }
  // Frames are below each other, each as high as a page.
  const frames = scenes.map((file) => scaled(file, MOVING_WIDTH));
  const film = vips.Image.arrayjoin(frames, { across: 1 }).copy();
  film.setInt('page-height', frames[0]?.height ?? 0);
  film.setArrayInt('delay', Array<number>(frames.length).fill(SHOWN_MS));
  film.setInt('loop', 0);
  write('demo.webp', film.writeToBuffer('.webp', { Q: 60 }));
  vips.shutdown();
}

function write(name: string, bytes: Uint8Array): void {
  fs.writeFileSync(path.join(TO, name), bytes);
  console.log(`docs/pictures/${name}: ${Math.round(bytes.length / 1_000)} kB`);
}
