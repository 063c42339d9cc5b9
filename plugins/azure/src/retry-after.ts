// In milliseconds where a front end has more to say than seconds.
const headers = [
  ["retry-after-ms", 1],
  ["x-ms-retry-after-ms", 1],
  ["retry-after", 1000],
] as const;

/** When an answer asks to be asked again, in milliseconds from now. Azure's services send no dates. */
export function retryAfterMs(header: (name: string) => string | undefined): number | undefined {
  const values = headers.map(([name, unitMs]) => Number(header(name)) * unitMs);
  return values.find((value) => Number.isFinite(value) && value > 0);
}

/** Whether an answer says anything of when to ask again, if only at once. */
export function saysWhen(header: (name: string) => string | undefined): boolean {
  return headers.some(([name]) => header(name) !== undefined);
}
