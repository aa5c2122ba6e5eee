/** What an object holds under a name from outside; never what every object inherits, such as `constructor`. */
export function own<T>(object: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
