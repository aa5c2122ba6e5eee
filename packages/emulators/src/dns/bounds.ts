/** Every limit of the DNS server. */

/** RFC 2181, section 8. */
export const TTL_SECONDS_MAX = 2_147_483_647;
export const RECORDS_MAX = 20_000;
export const TARGETS_MAX = 32;
export const VALUES_MAX = 64;
/** Characters of one value. A longer text is split into strings of 255 bytes. */
export const VALUE_CHARS_MAX = 4_000;
/** The same as Route 53's: https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html. */
export const WEIGHT_MAX = 255;

export const CHECK_INTERVAL_SECONDS_MIN = 0.01;
export const CHECK_INTERVAL_SECONDS_MAX = 300;
/** As Route 53's: https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html. */
export const CHECK_THRESHOLD_MAX = 10;
/** As Route 53's: a connection within four seconds. A shorter interval is the bound where it is less. */
export const CHECK_TIMEOUT_MS_MAX = 4_000;

export const TCP_CONNECTIONS_MAX = 200;
/** RFC 7766, section 6.2.3: a server may close what is idle for seconds. */
export const TCP_IDLE_MS = 10_000;
/** Answers that a client has not read yet; more, and the connection is closed. */
export const TCP_UNSENT_BYTES_MAX = 256 * 1024;

export const CONTROL_BODY_BYTES_MAX = 16 * 1024 * 1024;
