/**
 * A certificate for `localhost` that nobody vouches for, with a key made for it at run time: no private key is kept. Node
 * makes keys and signatures but no certificates, so the few fields that a certificate must have are encoded here.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface SelfSigned {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

/** One for an hour from now, and the hour before: clocks differ. */
export function selfSigned(nowMs = Date.now()): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(set(sequence(COMMON_NAME, tagged(0x0c, Buffer.from('localhost')))));
  const content = sequence(
    tagged(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    name,
    sequence(time(nowMs - 3_600_000), time(nowMs + 3_600_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(
      0xa3,
      sequence(
        sequence(BASIC_CONSTRAINTS, TRUE, tagged(0x04, sequence(TRUE))),
        sequence(ALTERNATIVE_NAMES, tagged(0x04, sequence(tagged(0x82, Buffer.from('localhost'))))),
      ),
    ),
  );
  const signature = tagged(0x03, Buffer.of(0), sign('sha256', content, privateKey));
  const lines = sequence(content, ECDSA_WITH_SHA256, signature).toString('base64').replace(/.{64}/g, '$&\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

/** DER (ITU-T X.690): a tag, the length of what follows, and that. */
function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const bytes =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...bytes), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

function set(...parts: readonly Buffer[]): Buffer {
  return tagged(0x31, ...parts);
}

function integer(value: Buffer): Buffer {
  return tagged(0x02, value);
}

/** UTCTime: it has two digits for the year, and is asked for until 2049. */
function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/^..|[-:T]|\..*(?=Z)/g, '');
  return tagged(0x17, Buffer.from(text));
}

const TRUE = tagged(0x01, Buffer.of(0xff));
/** Object identifiers: 2.5.4.3, 1.2.840.10045.4.3.2, 2.5.29.19 and 2.5.29.17. */
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const ECDSA_WITH_SHA256 = sequence(Buffer.from('06082a8648ce3d040302', 'hex'));
const BASIC_CONSTRAINTS = Buffer.from('0603551d13', 'hex');
const ALTERNATIVE_NAMES = Buffer.from('0603551d11', 'hex');
