/**
 * `diagrams`: docs/diagrams/*.mmd as SVG and PNG, by Mermaid's command line in a Chromium of this machine.
 * Mermaid is installed into `.peers/` on demand; Chromium is not, and without it the command fails.
 *
 * The pictures have a white ground of their own, so that they can be read on a dark page.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { findChromium } from '@tandem-clouds/testkit/peers/chromium';
import { PEERS, succeeds, Unavailable } from '@tandem-clouds/testkit/peers/peer';
import { diagramNames, DIAGRAMS, stampOf, STYLE } from './diagrams/stamp.ts';

/** At exactly these versions: another draws another picture. */
const PACKAGES = ['@mermaid-js/mermaid-cli@12.2.0', 'puppeteer@25.16.0'];
const HOME = path.join(PEERS, 'mermaid');
/** Pixels of the PNG for one of the SVG. */
const SCALE = '2';

/** Returns the exit status: 1 when there is nothing here that can draw them. */
export function drawDiagrams(): number {
  try {
    const browser = browserOptions();
    install();
    for (const name of diagramNames()) {
      for (const kind of ['png', 'svg']) render(browser, name, kind);
      fs.appendFileSync(path.join(DIAGRAMS, `${name}.svg`), `\n${stampOf(name)}\n`);
      console.log(`docs/diagrams/${name}.{svg,png}`);
    }
    return 0;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.error(`NOT DRAWN: ${error.message}`);
    return 1;
  }
}

/** A file with what Puppeteer is to start. Without a sandbox: it draws nothing but our own sources. */
function browserOptions(): string {
  const executablePath = findChromium('PUPPETEER_EXECUTABLE_PATH');
  fs.mkdirSync(HOME, { recursive: true });
  const file = path.join(HOME, 'puppeteer.json');
  fs.writeFileSync(file, JSON.stringify({ executablePath, args: ['--no-sandbox'] }));
  return file;
}

function install(): void {
  // Written last, so that an installation that was cut short is made again.
  const done = path.join(HOME, 'installed');
  const wanted = PACKAGES.join('\n');
  if (fs.existsSync(done) && fs.readFileSync(done, 'utf8') === wanted) return;
  console.log(`installing ${PACKAGES.join(' ')} into .peers/`);
  // No scripts: Puppeteer's would fetch a browser.
  const options = ['install', '--prefix', HOME, '--no-audit', '--no-fund', '--ignore-scripts', ...PACKAGES];
  if (!succeeds('npm', options, 'inherit')) throw new Unavailable('Mermaid could not be installed');
  fs.writeFileSync(done, wanted);
}

function render(browser: string, name: string, kind: string): void {
  const files = ['-i', path.join(DIAGRAMS, `${name}.mmd`), '-o', path.join(DIAGRAMS, `${name}.${kind}`)];
  const samples = ['-c', STYLE, '-b', 'white', '-s', SCALE, '-I', name];
  const mmdc = path.join(HOME, 'node_modules', '.bin', 'mmdc');
  const { status, error } = spawnSync(mmdc, ['-q', '-p', browser, ...files, ...samples], {
    stdio: 'inherit',
  });
  if (error !== undefined || status !== 0) throw new Error(`${name}.${kind} could not be drawn`);
}
