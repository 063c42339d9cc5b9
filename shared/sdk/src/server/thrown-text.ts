/** What a thrown (or any other) value says of itself, in one string. Never throws, though the value's conversion may. */
export function thrownText(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  } catch {
    // A throwing toString, or none at all: the type is all there is to say.
    return `unprintable ${typeof thrown}`;
  }
}
