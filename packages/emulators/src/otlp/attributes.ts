/** Attributes of OTLP's JSON as an object; what is no plain value is left out. */

interface Value {
  readonly stringValue?: string;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
}

export interface Attribute {
  readonly key?: string;
  readonly value?: Value;
}

export function attributesOf(list: readonly Attribute[] = []): Record<string, string | number | boolean> {
  return Object.fromEntries(
    list.flatMap(({ key, value = {} }) => {
      const { stringValue, intValue, doubleValue, boolValue } = value;
      const found =
        stringValue ?? doubleValue ?? boolValue ?? (intValue === undefined ? undefined : Number(intValue));
      return key === undefined || found === undefined ? [] : [[key, found]];
    }),
  );
}
