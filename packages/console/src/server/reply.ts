/** Answers of the console itself; problems as the sites give them (RFC 9457), so that the page has one way to show both. */
import type { ServerResponse } from 'node:http';

/** What goes wrong in the console, with the status that it is answered with. */
export class ConsoleError extends Error {
  override readonly name = 'ConsoleError';
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export function replyJson(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body));
}

export function replyProblem(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const status = statusOf(error);
  const detail = error instanceof Error ? error.message : String(error);
  response
    .writeHead(status, { 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
    .end(JSON.stringify({ type: 'about:blank', title: 'The console cannot do this', status, detail }));
}

/** What is neither JSON nor well encoded was sent so. */
function statusOf(error: unknown): number {
  if (error instanceof ConsoleError) return error.status;
  return error instanceof SyntaxError || error instanceof URIError ? 400 : 500;
}
