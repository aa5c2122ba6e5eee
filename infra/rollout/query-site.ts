/** One request to a site, as smoke and contract tests send it. */

const RESPONSE_WITHIN_MS = 15_000;

export interface Response {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Of a body that is a JSON object; otherwise empty. */
  readonly json: Readonly<Record<string, unknown>>;
}

export interface Extra {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** TANDEM_TOKEN is presented as a bearer token, for sites that ask for one. @throws Error naming what did not answer. */
export async function query(url: string, method: string, path: string, extra: Extra = {}): Promise<Response> {
  const token = process.env['TANDEM_TOKEN'];
  try {
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        ...(extra.body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...extra.headers,
      },
      ...(extra.body !== undefined && { body: JSON.stringify(extra.body) }),
      redirect: 'manual',
      signal: AbortSignal.timeout(RESPONSE_WITHIN_MS),
    });
    const text = await response.text();
    return {
      method,
      path,
      status: response.status,
      headers: Object.fromEntries(response.headers),
      text,
      json: objectIn(text),
    };
  } catch (cause) {
    const { message, cause: inner } = cause as Error & { cause?: { code?: string } };
    throw new Error(`${method} ${new URL(path, url).href}: ${inner?.code ?? message}`, { cause });
  }
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
