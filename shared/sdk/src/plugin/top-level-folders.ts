import { failure, ok } from "./findings.ts";
import { PluginError } from "./plugin-error.ts";
import type { Finding } from "./inspection.ts";

// The server's own, and its plugins'.
const serversOwn: ReadonlySet<string> = new Set(["backups", "restores", "restic", "metadata", "plugins", "kopia"]);
const namedAtMost = 3;

/** What a location's folders say: the server calls all of one unavailable that holds others than its own. */
export function foldersFinding(prefix: string, found: readonly string[]): Finding {
  const root = prefix === "" ? "" : `${prefix}/`;
  const where = prefix === "" ? "in the bucket" : `below ${root}`;
  const names = found.map((path) => path.slice(root.length).replace(/\/$/, ""));
  const others = names.filter((name) => !serversOwn.has(name)).toSorted();
  if (others.length === 0) return ok("folders", `nothing but the server's own ${where}`);
  const more = others.length > namedAtMost ? ` and ${others.length - namedAtMost} more` : "";
  const named = `${others.slice(0, namedAtMost).join(", ")}${more}`;
  const text = `there is ${named} ${where}, and the server calls a location with other folders than its own unavailable; give the location a prefix of its own, or move them elsewhere`;
  return failure("folders", new PluginError(text, { kind: "invalid-config" }));
}
