/**
 * One process of a function, as Lambda runs it: `worker.ts <bundle>`. It is asked over IPC for requests, one after another, and
 * says how long each took and how many failed.
 */
import { createRequire } from 'node:module';

export interface Round {
  /** Milliseconds of each, in their order. */
  readonly ms: readonly number[];
  readonly failed: number;
}

type Handler = (event: object, context: object) => Promise<{ readonly statusCode?: number }>;

const [bundle = ''] = process.argv.slice(2);
const { handler } = createRequire(import.meta.url)(bundle) as { handler: Handler };
let requests = 0;

function eventOf(n: number): object {
  const body = JSON.stringify({ id: `bench-${process.pid}-${n}`, data: { n } });
  return {
    version: '2.0',
    routeKey: 'ANY /write',
    rawPath: '/write',
    rawQueryString: '',
    headers: { 'content-type': 'application/json', 'content-length': String(body.length) },
    requestContext: {
      requestId: `r-${n}`,
      http: {
        method: 'POST',
        path: '/write',
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: 'bench',
      },
    },
    body,
    isBase64Encoded: false,
  };
}

async function round(forMs: number): Promise<Round> {
  const ms: number[] = [];
  let failed = 0;
  for (const beganMs = performance.now(); performance.now() - beganMs < forMs;) {
    const atMs = performance.now();
    const context = { awsRequestId: `r-${requests}`, getRemainingTimeInMillis: () => 10_000 };
    const { statusCode } = await handler(eventOf((requests += 1)), context).catch(() => ({
      statusCode: 500,
    }));
    ms.push(performance.now() - atMs);
    if (statusCode !== 201) failed += 1;
  }
  return { ms, failed };
}

process.on('message', (forMs: number) => void round(forMs).then((result) => process.send?.(result)));
process.on('disconnect', () => process.exit(0));
