/** Returns a value inside an object inside a resource; undefined where there is none. */
export function settingOf(resource: Readonly<Record<string, unknown>>, outer: string, inner: string): unknown {
  const value = resource[outer];
  return typeof value === "object" && value !== null
    ? new Map<string, unknown>(Object.entries(value)).get(inner)
    : undefined;
}

/** Returns an object of one setting where it is there. */
export function setting<T>(name: string, isThere: boolean, value: T): Readonly<Record<string, T>> {
  return isThere ? { [name]: value } : {};
}
