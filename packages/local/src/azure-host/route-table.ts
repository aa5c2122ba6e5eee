/**
 * Which function answers a path: the route templates of ASP.NET Core, as the Functions host uses them.
 *
 * `users/{id}`, `users/{id?}`, `users/{id:int}` and `users/{*path}`, the last of which also matches nothing at all.
 * Letters match in either case. Where several templates match, segment by segment a literal comes before a
 * constrained parameter, that before a free one, and a catch-all last.
 * @see https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-template-precedence-and-endpoint-selection-order
 */
import { own } from '@tandem-clouds/command-line/own';

/** Route parameters by name; those of an optional or catch-all segment that matched nothing are absent. */
export type RouteParams = Readonly<Record<string, string>>;

export interface Route<Target> {
  /** Without a leading slash, prefix included. */
  readonly template: string;
  /** Upper case; undefined: every method there is. */
  readonly methods: ReadonlySet<string> | undefined;
  readonly target: Target;
}

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | {
      readonly kind: 'parameter';
      readonly name: string;
      readonly optional: boolean;
      readonly constraint: RegExp | undefined;
    }
  | { readonly kind: 'catch-all'; readonly name: string };

/** The constraints that have a counterpart here; another one is refused, not ignored. */
const CONSTRAINTS: Readonly<Record<string, RegExp>> = {
  alpha: /^[a-z]+$/i,
  bool: /^(true|false)$/i,
  guid: /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/i,
  int: /^-?\d{1,10}$/,
  long: /^-?\d{1,19}$/,
};

const PARAMETER = /^\{(?<star>\*{0,2})(?<name>\w+)(?::(?<constraint>\w+))?(?<optional>\?)?\}$/;

/** The routes of an app, most specific first. */
export class RouteTable<Target> {
  readonly #entries: readonly { route: Route<Target>; segments: readonly Segment[] }[];

  /** @throws SyntaxError that names the template and the segment. */
  constructor(routes: readonly Route<Target>[]) {
    this.#entries = routes
      .map((route) => ({ route, segments: parseTemplate(route.template) }))
      .sort((a, b) => comparePrecedence(a.segments, b.segments));
  }

  /** @param pathname As in the request line, percent-encoded. */
  find(method: string, pathname: string): { target: Target; params: RouteParams } | undefined {
    const parts = pathname.split('/').slice(1);
    if (parts.at(-1) === '') parts.pop();
    for (const { route, segments } of this.#entries) {
      if (route.methods?.has(method) === false) continue;
      const params = match(segments, parts);
      if (params !== undefined) return { target: route.target, params };
    }
    return undefined;
  }
}

function parseTemplate(template: string): Segment[] {
  if (template === '') return [];
  return template.split('/').map((text) => {
    if (!text.includes('{')) return { kind: 'literal', text: text.toLowerCase() };
    const groups = PARAMETER.exec(text)?.groups;
    const name = groups?.['name'];
    if (groups === undefined || name === undefined) {
      throw new SyntaxError(`route '${template}': '${text}' is not supported here`);
    }
    if (groups['star'] !== '') return { kind: 'catch-all', name };
    const constraintName = groups['constraint'];
    const constraint = constraintName === undefined ? undefined : own(CONSTRAINTS, constraintName);
    if (constraintName !== undefined && constraint === undefined) {
      throw new SyntaxError(`route '${template}': the constraint '${constraintName}' is not supported here`);
    }
    return { kind: 'parameter', name, optional: groups['optional'] === '?', constraint };
  });
}

function precedence(segment: Segment): number {
  switch (segment.kind) {
    case 'literal':
      return 1;
    case 'parameter':
      return segment.constraint === undefined ? 3 : 2;
    case 'catch-all':
      return 5;
  }
}

function comparePrecedence(a: readonly Segment[], b: readonly Segment[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const [left, right] = [a[i], b[i]];
    // A template that ends here is more specific than one that goes on with something optional.
    const difference = (left ? precedence(left) : 0) - (right ? precedence(right) : 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function match(segments: readonly Segment[], parts: readonly string[]): RouteParams | undefined {
  const params: Record<string, string> = {};
  for (const [i, segment] of segments.entries()) {
    const part = parts[i];
    if (segment.kind === 'catch-all') {
      const rest = parts.slice(i).map(decode).join('/');
      if (rest !== '') params[segment.name] = rest;
      return params;
    }
    if (part === undefined) {
      if (segment.kind === 'parameter' && segment.optional) continue;
      return undefined;
    }
    const text = decode(part);
    if (segment.kind === 'literal') {
      if (text.toLowerCase() !== segment.text) return undefined;
    } else {
      if (text === '' || segment.constraint?.test(text) === false) return undefined;
      params[segment.name] = text;
    }
  }
  return parts.length <= segments.length ? params : undefined;
}

/** ASP.NET Core leaves an encoded slash, and what is not valid UTF-8, as it is. */
function decode(part: string): string {
  try {
    return part
      .split(/(%2f)/i)
      .map((piece, i) => (i % 2 === 1 ? piece : decodeURIComponent(piece)))
      .join('');
  } catch {
    return part;
  }
}
