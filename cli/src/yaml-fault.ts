/**
 * What is wrong with a YAML file and where, without the lines themselves, which the parser's text quotes: they may hold a
 * password.
 */
export function yamlFault(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [first = ""] = message.split("\n");
  return first.replace(/:$/, "");
}
