/** A command that was given wrongly: exit code 2, and the text says what to give instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
