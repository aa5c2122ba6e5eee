/**
 * An HTTP API of API Gateway in front of packaged functions: routes and integrations are those of the packaged template.
 *
 * Invariant: a function gets one event at a time, as an execution environment of Lambda does.
 */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Resource {
  readonly Type: string;
  readonly Properties: unknown;
}

/** A request as it came; the body is undefined when there is none. */
export interface GatewayRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

export interface GatewayResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Calls the function with this logical id. */
export type CallFunction = (id: string, request: GatewayRequest) => Promise<GatewayResponse>;

interface RouteProperties {
  readonly RouteKey: string;
  readonly Target: { readonly 'Fn::Join': [string, [string, { readonly Ref: string }]] };
}
interface IntegrationProperties {
  readonly IntegrationUri: { readonly 'Fn::GetAtt': [string, string] };
}

/** Logical id of the function for a path; of two routes the one with fewer free parts, and `$default` last. */
export function routesOf(resources: Readonly<Record<string, Resource>>): (path: string) => string {
  const routes = Object.values(resources)
    .filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route')
    .map(({ Properties }) => {
      const { RouteKey, Target } = Properties as RouteProperties;
      const integration = resources[Target['Fn::Join'][1][1].Ref]?.Properties as IntegrationProperties;
      const [, template] = /^ANY (.*)$/.exec(RouteKey) ?? [];
      return { template, id: integration.IntegrationUri['Fn::GetAtt'][0] };
    });
  return (path) => {
    const exact = routes.find(({ template }) => template === path);
    const greedy = routes.find(({ template }) => {
      const prefix = template?.replace(/\{proxy\+\}$/, '');
      return prefix !== undefined && prefix !== template && path.startsWith(prefix) && path !== prefix;
    });
    const found = exact ?? greedy ?? routes.find(({ template }) => template === undefined);
    if (found === undefined) throw new Error(`no route for ${path}`);
    return found.id;
  };
}

export interface Gateway {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves on a free port of the loopback address. What `call` rejects with is 500, as the service's own. */
export async function startGateway(
  resources: Readonly<Record<string, Resource>>,
  call: CallFunction,
): Promise<Gateway> {
  const functionFor = routesOf(resources);
  const busy = new Map<string, Promise<unknown>>();
  const inTurn = (id: string, request: GatewayRequest): Promise<GatewayResponse> => {
    const response = (busy.get(id) ?? Promise.resolve()).then(() => call(id, request));
    busy.set(
      id,
      response.catch(() => undefined),
    );
    return response;
  };
  const respondTo = async (request: http.IncomingMessage): Promise<GatewayResponse> => {
    const { method = 'GET', url = '/', headers } = request;
    const body = Buffer.concat((await request.toArray()) as Buffer[]);
    return inTurn(functionFor(url.split('?')[0] ?? ''), {
      method,
      path: url,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      body: body.length > 0 ? body : undefined,
    });
  };
  const server = http.createServer((request, response) => {
    respondTo(request).then(
      ({ status, headers, text }) => response.writeHead(status, headers).end(text),
      (error: unknown) =>
        response.writeHead(500, { 'content-type': 'application/json' }).end(JSON.stringify(String(error))),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
