/** How every SDK client of the local host is made: no retries of its own, and no request without a bound. */

/** Creating what a site needs: an emulator that takes longer than this does not serve. */
const RESPONSE_WITHIN_MS = 10_000;

/** @param responseWithinMs A request that takes longer fails with a `TimeoutError`. */
export function clientOptions(region: string, responseWithinMs = RESPONSE_WITHIN_MS) {
  return {
    region,
    maxAttempts: 1,
    // Without `throwOnRequestTimeout` the SDK only writes a warning, and waits on.
    requestHandler: { requestTimeout: responseWithinMs, throwOnRequestTimeout: true },
  };
}
