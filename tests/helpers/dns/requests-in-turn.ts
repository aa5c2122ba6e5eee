/**
 * A transport of the AWS SDK for simulations, on which one request is made at a time.
 *
 * Invariant: the order of requests is that of `chance` alone. A request is chosen when everybody waits for one, it is
 * answered whole before anything else goes on, and what follows from it goes on until everybody waits again. So how long
 * a socket or the machine takes changes nothing, and a seed replays its run.
 */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Route53Client, type Route53ClientConfig } from '@aws-sdk/client-route-53';

type Transport = Route53Client['config']['requestHandler'];

export interface RequestsInTurn {
  readonly requestHandler: NonNullable<Route53ClientConfig['requestHandler']>;
  readonly close: () => void;
}

/** `chance`: from 0 up to 1. */
export function requestsInTurn(chance: () => number): RequestsInTurn {
  const transport: Transport = new Route53Client({ region: 'us-east-1' }).config.requestHandler;
  const waiting: (() => Promise<void>)[] = [];
  let isDriving = false;

  const drive = async (): Promise<void> => {
    isDriving = true;
    for (;;) {
      // Nothing but requests does I/O, so whoever does not wait by then has ended, or waits for somebody who does.
      await new Promise(setImmediate);
      const [next] = waiting.splice(Math.floor(chance() * waiting.length), 1);
      if (next === undefined) break;
      await next();
    }
    isDriving = false;
  };

  /** What is left on the socket would come when it comes. */
  const answered: Transport['handle'] = async (request, options) => {
    const { response } = await transport.handle(request, options);
    const body = response.body as Readable;
    response.body = Readable.from(await buffer(body));
    return { response };
  };

  const handle: Transport['handle'] = (request, options) =>
    new Promise((resolve, reject) => {
      waiting.push(() => answered(request, options).then(resolve, reject));
      if (!isDriving) void drive();
    });

  return {
    requestHandler: {
      handle,
      updateHttpClientConfig: () => undefined,
      httpHandlerConfigs: () => ({}),
      metadata: transport.metadata ?? { handlerProtocol: 'http/1.1' },
    },
    close: () => transport.destroy?.(),
  };
}
