/** Calls of other services as spans, which go along as `traceparent`. Path, query and bodies are in none of them. */
import type { OutboundHttp, OutboundRequest } from '../../ports/outbound-http.ts';
import type { Span } from './span.ts';
import type { Tracer } from './tracer.ts';

/** One span a call, its attempts among it. @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client */
export function tracedOutbound(http: OutboundHttp, tracer: Tracer): OutboundHttp {
  const call = async <Result>(
    request: OutboundRequest,
    act: (request: OutboundRequest, span: Span | undefined) => Promise<Result>,
  ): Promise<Result> => {
    const url = URL.parse(String(request.url));
    const method =
      request.method ?? (request.json === undefined && request.body === undefined ? 'GET' : 'POST');
    return tracer.span(
      {
        name: method,
        kind: 'client',
        attributes: {
          'http.request.method': method,
          'server.address': url?.hostname,
          'server.port': portOf(url),
        },
      },
      (span) =>
        act(
          span === undefined
            ? request
            : { ...request, headers: { traceparent: span.traceparent, ...request.headers } },
          span,
        ),
    );
  };
  return {
    send: (request) =>
      call(request, async (sent, span) => {
        const response = await http.send(sent);
        const { status, attempts } = response;
        span?.set({
          'http.response.status_code': status,
          ...(attempts > 1 && { 'http.request.resend_count': attempts - 1 }),
        });
        if (status >= 400) span?.fail(String(status));
        return response;
      }),
    json: (request) => call(request, (sent) => http.json(sent)),
  };
}

function portOf(url: URL | null): number | undefined {
  if (url === null) return undefined;
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'http:' ? 80 : 443;
}
