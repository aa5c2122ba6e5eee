/**
 * What an object holds under a name that comes from outside (a peer, a token, a request); never what every object
 * inherits, such as `constructor`.
 */
export function own<T>(object: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Sets a property of just this object; a plain assignment of `__proto__` would set another thing. */
export function setOwn<T>(object: Record<string, T>, name: string, value: T): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}
