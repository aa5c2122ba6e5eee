/** Numbers of the DNS protocol: the registry at https://www.iana.org/assignments/dns-parameters. */

/** Record and query types. */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  SVCB: 64,
  HTTPS: 65,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  CAA: 257,
} as const;

export const CLASS_IN = 1;
export const CLASS_ANY = 255;

/** Answer codes; those above 15 need an OPT record (RFC 6891, section 6.1.3). */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;
export type Rcode = (typeof RCODE)[keyof typeof RCODE];

/** Bits of the second 16-bit word of a header. */
export const FLAG = { QR: 0x80_00, AA: 0x04_00, TC: 0x02_00, RD: 0x01_00 } as const;

export const HEADER_BYTES = 12;
/** RFC 1035, section 2.3.4. */
export const LABEL_BYTES_MAX = 63;
export const NAME_BYTES_MAX = 255;
/** What every client takes over UDP (RFC 1035, section 2.3.4). */
export const UDP_BYTES_MIN = 512;
/** What we send over UDP at most, whatever the client says it takes: larger packets get fragmented (RFC 9715). */
export const UDP_BYTES_MAX = 1_232;
