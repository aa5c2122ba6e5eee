/**
 * A template as Resource Manager is sent it: as much as the emulator reads.
 * @see https://learn.microsoft.com/azure/azure-resource-manager/templates/syntax
 */

export interface ArmParameter {
  readonly type: string;
  readonly defaultValue?: unknown;
  readonly allowedValues?: readonly unknown[];
}

export interface ArmResource {
  readonly type: string;
  readonly name: string;
  readonly apiVersion: string;
  readonly resources?: readonly ArmResource[];
  readonly [other: string]: unknown;
}

export interface ArmTemplate {
  readonly parameters: Readonly<Record<string, ArmParameter>>;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly resources: readonly ArmResource[];
}
