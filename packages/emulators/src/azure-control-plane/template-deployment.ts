/**
 * One deployment of a template: what Resource Manager checks before it begins, and what it makes, in which order, until
 * something fails. What was made before a failure stays.
 * @see https://learn.microsoft.com/azure/azure-resource-manager/templates/deployment-modes
 */
import { deploy, type DeployedResource } from './evaluate-template.ts';
import type { ArmError } from './http.ts';
import type { ArmTemplate } from './template.ts';

export interface Sent {
  readonly mode: string;
  readonly template: ArmTemplate;
  readonly parameters: Readonly<Record<string, { readonly value: unknown }>>;
}

/** Why a resource cannot be made, or undefined. */
export type Refuses = (resource: DeployedResource) => ArmError | undefined;

const API_VERSION = /^\d{4}-\d\d-\d\d(-preview)?$/;
const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  securestring: (value) => typeof value === 'string',
  bool: (value) => typeof value === 'boolean',
  int: (value) => Number.isInteger(value),
  array: (value) => Array.isArray(value),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

/** Everything that is wrong with a deployment before it begins; and, when nothing is, its resources. */
export function validate({ mode, template, parameters }: Sent): {
  readonly mistakes: readonly string[];
  readonly resources: readonly DeployedResource[];
} {
  const mistakes = [
    ...(mode === 'Incremental' ? [] : [`the mode '${mode}' deletes what the template does not name`]),
    ...Object.keys(parameters).flatMap((name) =>
      Object.hasOwn(template.parameters, name) ? [] : [`the template has no parameter '${name}'`],
    ),
    ...Object.entries(template.parameters).flatMap(([name, { type, defaultValue, allowedValues }]) => {
      if (!Object.hasOwn(parameters, name))
        return defaultValue === undefined ? [`the parameter '${name}' is not given`] : [];
      const value = parameters[name]?.value;
      if (TYPES[type.toLowerCase()]?.(value) !== true) return [`the parameter '${name}' is no ${type}`];
      return allowedValues?.includes(value) === false ? [`'${name}' is not allowed its value`] : [];
    }),
  ];
  if (mistakes.length > 0) return { mistakes, resources: [] };
  try {
    const given = Object.fromEntries(Object.entries(parameters).map(([name, { value }]) => [name, value]));
    const resources = deploy(template, given);
    return { mistakes: resources.flatMap(mistakesOf(resources)), resources };
  } catch (error) {
    return { mistakes: [String(error)], resources: [] };
  }
}

function mistakesOf(all: readonly DeployedResource[]): (one: DeployedResource) => string[] {
  const ids = new Set(all.map(({ id }) => id.toLowerCase()));
  return ({ id, apiVersion, dependsOn }) => [
    ...(API_VERSION.test(apiVersion) ? [] : [`${id} has no api-version`]),
    ...dependsOn
      .filter((other) => !ids.has(other.toLowerCase()))
      .map((other) => `${id} depends on ${other}, which is not in the template`),
    ...(all.filter((other) => other.id === id).length > 1 ? [`${id} is there twice`] : []),
  ];
}

export interface DeploymentResult {
  readonly made: readonly DeployedResource[];
  readonly error?: ArmError;
}

/** Makes what the conditions ask for, dependencies first; ends at the first that is refused. */
export function make(resources: readonly DeployedResource[], refuses: Refuses): DeploymentResult {
  const made: DeployedResource[] = [];
  for (const resource of inOrder(resources.filter((one) => one.made))) {
    const cause = refuses(resource);
    if (cause === undefined) {
      made.push(resource);
      continue;
    }
    return {
      made,
      error: {
        code: 'DeploymentFailed',
        message:
          'At least one resource deployment operation failed. Please list deployment operations for details.',
        details: [{ ...cause, message: `${resource.type} '${resource.name}': ${cause.message}` }],
      },
    };
  }
  return { made };
}

/** @throws Error when resources wait for each other. */
function inOrder(resources: readonly DeployedResource[]): DeployedResource[] {
  const ordered: DeployedResource[] = [];
  let waiting = [...resources];
  while (waiting.length > 0) {
    const ids = new Set(waiting.map(({ id }) => id.toLowerCase()));
    const ready = waiting.filter(({ dependsOn }) => !dependsOn.some((id) => ids.has(id.toLowerCase())));
    if (ready.length === 0) throw new Error(`circular dependency: ${[...ids].join(', ')}`);
    ordered.push(...ready);
    waiting = waiting.filter((one) => !ready.includes(one));
  }
  return ordered;
}
