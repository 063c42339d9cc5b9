import { isJsonObject, PluginError } from "@flotilla/sdk/plugin";
import type { JsonObject } from "@flotilla/sdk/plugin";

import type { ResticEnd } from "./restic-process.ts";
import { withoutMagicWords } from "./volume-unread.ts";

/** What a file may lack whose bytes are there, or that has none. */
const losses = ["owners", "attributes", "permissions or times", "device files"] as const;
type Loss = (typeof losses)[number];

/** What is told of some files: how many, and the first of them. There may be millions. */
interface Told {
  readonly first: string[];
  count: number;
}

const shownFiles = 3;

const refusal = "(?:operation not permitted|permission denied|operation not supported|invalid argument)";
/** The calls that set what a file may lack, as restic names them, and what the system answers to who may not. */
const refused: readonly (readonly [Loss, string])[] = [
  ["owners", `(?:Lchown: )?lchown .*: ${refusal}`],
  ["attributes", `xattr\\.\\w+ .*: ${refusal}`],
  ["permissions or times", `(?:(?:Chmod: )?chmod|UtimesNano|failed to restore timestamp of) ?.*: ${refusal}`],
  // Before 0.17 without the name of the call, which of all it is alone in.
  ["device files", `(?:mknod .*: )?operation not permitted`],
];
const patterns = refused.map(([loss, pattern]) => [loss, new RegExp(`^${pattern}$`, "s")] as const);
const inWords = new RegExp(`^(/.*?): (${refused.map(([, pattern]) => pattern).join("|")})$`, "s");

/**
 * What restic says that it could not restore. Files that keep their bytes and lack an owner or an attribute, and devices
 * that the process may not make, are a loss to be told of. Any other file fails the restore: restic goes on past it.
 */
export class RestoreFaults {
  readonly #losses = new Map<Loss, Told>();
  readonly #failures: Told = { first: [], count: 0 };
  #count = 0;

  /** Hears every message of a restore. */
  hear(message: JsonObject): void {
    const fault = readFault(message);
    if (fault === undefined) return;
    const { item, reason } = fault;
    this.#count += 1;
    const loss = patterns.find(([, pattern]) => pattern.test(reason))?.[0];
    if (loss === undefined) return add(this.#failures, `${item} (${withoutMagicWords(reason)})`);
    const told = this.#losses.get(loss) ?? { first: [], count: 0 };
    this.#losses.set(loss, told);
    add(told, item);
  }

  /** Throws what became of a restic that failed, unless losses are all that it failed for. */
  requireFiles(end: ResticEnd, error: () => PluginError): void {
    if (end.code === 0) return;
    const counted = /There were (\d+) errors/.exec(end.lines.join("\n"))?.[1];
    if (this.#failures.count === 0 && counted === String(this.#count)) return;
    const { message, kind, code } = error();
    const unrestored = this.#failures.count === 0 ? "" : `. Not restored: ${shown(this.#failures)}`;
    throw new PluginError(`${message}${unrestored}`, { kind, code });
  }

  /** What files lack, in words; empty where they lack nothing. */
  text({ withoutOwners }: { readonly withoutOwners: boolean }): string {
    const told = losses.flatMap((loss) => {
      const files = withoutOwners && loss === "owners" ? undefined : this.#losses.get(loss);
      return files === undefined ? [] : [`${loss}: ${lackOf(loss)} ${shown(files)}`];
    });
    return told.join("; ");
  }
}

function lackOf(loss: Loss): string {
  return loss === "device files" ? "not made, for want of CAP_MKNOD:" : "not set, for the system refused it, on";
}

function add(told: Told, file: string): void {
  if (told.first.length < shownFiles) told.first.push(file);
  told.count += 1;
}

function shown({ first, count }: Told): string {
  return count > first.length ? `${first.join(", ")} and ${count - first.length} more` : first.join(", ");
}

/** Versions before 0.17 say it in words, also with --json. */
function readFault(message: JsonObject): { readonly item: string; readonly reason: string } | undefined {
  if (message["message_type"] !== "error") return undefined;
  const { item, error, words } = message;
  if (typeof words === "string") {
    const [, file, reason] = inWords.exec(words) ?? /^(.*?): (.*)$/s.exec(words) ?? [];
    return { item: file ?? "", reason: reason ?? words };
  }
  const reason = isJsonObject(error) ? error["message"] : error;
  return { item: typeof item === "string" ? item : "", reason: typeof reason === "string" ? reason : "unknown" };
}
