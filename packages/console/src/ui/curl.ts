/** A request as a command that can be pasted into a shell. Keys and tokens are named by their variables, never written out. */

export interface CurlRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** What it is presented with: a variable that whoever pastes it has set. */
  readonly bearer?: 'TANDEM_OPERATOR_KEY' | 'TANDEM_TOKEN' | undefined;
}

/** Nothing in it is read by the shell but the variable. */
export function curlOf({ url, method = 'GET', headers = {}, body, bearer }: CurlRequest): string {
  return [
    `curl -i ${quoted(url)}`,
    ...(method === 'GET' ? [] : [`-X ${method}`]),
    ...(bearer === undefined ? [] : [`-H "authorization: Bearer $${bearer}"`]),
    ...Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(body === undefined
      ? []
      : [`-H 'content-type: application/json'`, `-d ${quoted(JSON.stringify(body))}`]),
  ].join(' \\\n  ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
