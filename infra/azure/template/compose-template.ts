/**
 * The ARM template of a site, put together from small parts: what a deployment sends, a package keeps for the reader
 * (.artifacts/azure/template.json), and the local host reads.
 *
 * A part (infra/azure/parts/*.json) holds the parameters, variables, resources and outputs of one concern, and may use
 * those of every other: the result is one template. `{ "loadTextContent": "queries/page.kql" }` stands for the text of
 * that file beside the parts, as the function of that name does in Bicep.
 *
 * Invariant: a name is defined once.
 */
import fs from 'node:fs';
import path from 'node:path';

export interface ArmParameter {
  readonly type: string;
  readonly defaultValue?: unknown;
  readonly allowedValues?: readonly unknown[];
  readonly minValue?: number;
  readonly maxValue?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly metadata?: { readonly description: string };
}

export interface ArmResource {
  readonly type: string;
  readonly name: string;
  readonly apiVersion: string;
  readonly condition?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly resources?: readonly ArmResource[];
  readonly [other: string]: unknown;
}

export interface ArmTemplate {
  readonly parameters: Readonly<Record<string, ArmParameter>>;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly resources: readonly ArmResource[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

type Part = Partial<ArmTemplate>;

/**
 * @param file The head of the template; its parts are beside it, in the folder `parts`.
 * @throws Error naming the part and what is defined twice, or the file that is missing.
 */
export function composeTemplate(file: string): ArmTemplate {
  const folder = path.dirname(file);
  const parts = path.join(folder, 'parts');
  const names = fs.readdirSync(parts).filter((name) => name.endsWith('.json'));
  return names.sort().reduce<ArmTemplate>(
    (whole, name) => {
      const part = read(path.join(parts, name), folder);
      return {
        ...whole,
        parameters: merge(whole.parameters, part.parameters, name),
        variables: merge(whole.variables, part.variables, name),
        resources: [...whole.resources, ...(part.resources ?? [])],
        outputs: merge(whole.outputs, part.outputs, name),
      };
    },
    { parameters: {}, variables: {}, resources: [], outputs: {}, ...read(file, folder) },
  );
}

function read(file: string, folder: string): Part {
  return JSON.parse(fs.readFileSync(file, 'utf8'), (_name, value: unknown) => {
    const text = (value as { loadTextContent?: unknown } | null)?.loadTextContent;
    return typeof text === 'string' ? fs.readFileSync(path.join(folder, text), 'utf8').trimEnd() : value;
  }) as Part;
}

function merge<Value>(
  whole: Readonly<Record<string, Value>>,
  part: Readonly<Record<string, Value>> = {},
  name: string,
): Readonly<Record<string, Value>> {
  const twice = Object.keys(part).filter((key) => Object.hasOwn(whole, key));
  if (twice.length > 0) throw new Error(`${name} defines again what another part has: ${twice.join(', ')}`);
  return { ...whole, ...part };
}
