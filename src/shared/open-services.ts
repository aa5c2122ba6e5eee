/**
 * The composition of what handlers and reactions need beside records. A module of its own: a function that does not import
 * it has no vault and no SDK of one in its bundle.
 */
import { openOwnMetrics } from '#cloud';
import { fetchClient } from './adapters/fetch-client.ts';
import { maskedLogger } from './adapters/masked-logger.ts';
import { outboundHttp } from './adapters/outbound-http.ts';
import type { HttpRequest } from './http/route.ts';
import { openSecrets } from './open-secrets.ts';
import type { Invocation, ProcessServices, Services } from './ports/services.ts';
import { type Runtime, sleep } from './runtime.ts';

/** Opened once per process, beside `openReplica`. The vault is not asked before somebody wants a secret. */
export function openServices(runtime: Runtime): ProcessServices {
  const { config, logger, site, tracing, metering } = runtime;
  const secrets = openSecrets(runtime);
  const metrics = metering.own(
    openOwnMetrics({
      site: site.site,
      write: (line) => void process.stdout.write(line),
      now: site.now,
    }),
  );
  const elapsed = (): number => performance.now();
  const within = (invocation: Invocation): Services => {
    const { requestId } = invocation;
    const log = maskedLogger(logger, () => secrets.held(), requestId === undefined ? {} : { requestId });
    const options = { client: fetchClient, sleep, elapsed, now: site.now, random: Math.random, log };
    return {
      secrets,
      metrics,
      log,
      config: config.own,
      http: tracing.outbound(outboundHttp(options, invocation)),
    };
  };
  return { ...within({}), within };
}

/** What a request adds to the services of its process: `services.within(invocationOf(request))`. */
export function invocationOf({ headers, remainingMs, requestId }: HttpRequest): Invocation {
  return { remainingMs, requestId, traceparent: headers['traceparent'] };
}
