import { PluginError } from "@flotilla/sdk/plugin";
import type { PluginErrorKind } from "@flotilla/sdk/plugin";
import type { ResticEnd } from "./restic-process.ts";

/** Why a restic failed, as far as callers decide by it. */
export type ResticFault =
  | "no-repository"
  | "locked"
  | "wrong-password"
  | "no-snapshot"
  | "incomplete"
  | "killed"
  | "other";

/** The code of an error that says that a snapshot was removed. */
export const noSnapshotCode = "no such snapshot";

/** What was being done. */
export interface Attempt {
  /** `list the snapshots`, `put object "…" in bucket "…"`. */
  readonly action: string;
  /** The repository, as it may be printed. */
  readonly repository: string;
  /** The user and the password in its address, which restic repeats where it cannot parse that. */
  readonly secret?: string | undefined;
}

// Exit codes as restic documents them; versions before 0.17 know 1 and 3 only.
const codes: Readonly<Record<number, ResticFault>> = {
  3: "incomplete",
  10: "no-repository",
  11: "locked",
  12: "wrong-password",
};

/** How the backends say that a file is not there. */
const absentFile = "no such (?:file|key)|(?:does not|doesn't) exist|not ?found|\\b404\\b";

/** Whether restic says of a snapshot that there is none. */
export function isAbsentSnapshot(line: string): boolean {
  return new RegExp(`no matching ID|${absentFile}`, "i").test(line);
}

const texts: readonly (readonly [ResticFault, RegExp])[] = [
  ["locked", /already locked(?: exclusively)? by/],
  ["wrong-password", /wrong password or no key found/],
  ["no-snapshot", /(?:no|multiple) matching ID(?:s)? found|multiple IDs with prefix/],
  // Of a whole id 0.18 looks for the file.
  ["no-snapshot", new RegExp(`failed to load snapshot.*(?:${absentFile})`, "i")],
  // The hint alone says only that the repository could not be opened, for whatever reason.
  [
    "no-repository",
    /config file.*(?:no such file|does not exist(?! in our records)|not found|404)[^]*Is there a repository at/i,
  ],
  // In a bucket that restic init makes.
  ["no-repository", /^Stat\(<config\/>\).*bucket does not exist/im],
];

const badAddress = /parsing repository location failed/;

const damageRemedy =
  "the repository is damaged: restore from another backup or from a second repository; restic check --read-data names all that is damaged, restic repair packs and restic repair snapshots (0.17 or newer) save what is whole";

interface Meaning {
  readonly pattern: RegExp;
  readonly kind: PluginErrorKind;
  readonly remedy: string;
}

const meanings: readonly Meaning[] = [
  {
    pattern: badAddress,
    kind: "invalid-config",
    remedy: "check the key repository; what is neither letter nor digit in its user and password is percent-encoded",
  },
  {
    pattern:
      /access ?denied|permission denied|read-only file system|forbidden|unauthorized|\b40[13]\b|invalid credentials|InvalidAccessKeyId|SignatureDoesNotMatch|AuthenticationFailed|access key id|request signature/i,
    kind: "denied",
    remedy: "check the credentials of the location and what they may do in the repository's store",
  },
  {
    pattern: /no space left|quota exceeded|file too large|insufficient storage|\b507\b/i,
    kind: "unavailable",
    remedy: "make room where the repository, restic's cache and the temporary folder are",
  },
  {
    // Before what is said of damage: a program that ends at once cuts its answer off.
    pattern: /unable to open repository at/i,
    kind: "unavailable",
    remedy:
      "check the key repository, and of rclone: and sftp: that the program is on the PATH of the server and knows the remote or the host",
  },
  {
    pattern:
      /ciphertext verification failed|hash does not match|invalid data returned|does not match|unexpected EOF|load.* truncated|not found in (?:the )?index/i,
    kind: "corrupt",
    remedy: damageRemedy,
  },
  {
    pattern: /unsupported repository version|config cannot be loaded/i,
    kind: "invalid-config",
    remedy: "use a newer restic",
  },
  {
    pattern:
      /connection refused|connection reset|no such host|timed? ?out|dial tcp|network is unreachable|broken pipe|server (?:error|misbehaving)|\b50[0234]\b|SlowDown|x509|tls:|bucket.*does not exist/i,
    kind: "unavailable",
    remedy: "check the network and the repository's store",
  },
  // The last words of a check, whatever it came upon: what is known more closely stands above.
  {
    pattern: /snapshot is empty/i,
    kind: "invalid-config",
    remedy:
      "the key exclude leaves nothing of the volume: its patterns match any name in the path, also above the volume; begin one with the volume's own name",
  },
  { pattern: /repository contains errors/i, kind: "corrupt", remedy: damageRemedy },
];

/** Tells why a restic failed. */
export function faultOf(end: ResticEnd): ResticFault {
  const text = end.lines.join("\n");
  const told = texts.find(([, pattern]) => pattern.test(text))?.[0];
  if (told !== undefined) return told;
  if (end.code === null) return "killed";
  return codes[end.code] ?? "other";
}

/** Turns a failed restic into a PluginError. */
export function resticError(end: ResticEnd, { action, repository, secret }: Attempt): PluginError {
  const where = `${action} in repository ${repository}`;
  const code = codeOf(end);
  const answer = answerOf(end, secret);
  switch (faultOf(end)) {
    case "no-repository":
      return new PluginError(
        `${where}: there is no repository (${answer}); check the key repository, or set initialize: "true" to have it made`,
        { kind: "invalid-config", code },
      );
    case "wrong-password":
      return new PluginError(
        `${where}: the password opens none of the repository's keys; check the location's password`,
        {
          kind: "denied",
          code,
        },
      );
    case "locked":
      return new PluginError(
        `${where}: the repository is locked (${answer}); try again when that is done, or run restic unlock if nothing runs`,
        { kind: "held", code },
      );
    case "killed":
      return new PluginError(
        `${where}: restic was ended by ${end.signal}; nothing was stored. Check the memory limit of the pod`,
        { kind: "unavailable", code },
      );
    case "no-snapshot":
      return new PluginError(`${where}: a snapshot is gone (${answer}); try again`, {
        kind: "conflict",
        code: noSnapshotCode,
      });
    case "incomplete":
    case "other":
      break;
  }
  return unexpectedError(end, `${where}: restic failed (${code}): ${answer}`, code);
}

/** How restic tells, as long as it tries a request again, that it failed. */
const retrying = /^\w+\(<.*?\) (?:returned error|failed), retrying after [^:]*: /;

/** What a store answers to the first requests, a lock among them, and will answer again. */
const lasting =
  /permission denied|read-only file system|no space left|access ?denied|forbidden|unauthorized|invalid credentials|InvalidAccessKeyId|AuthenticationFailed|access key id|signature|bucket does not exist|x509|tls:/i;

/**
 * Whether restic, which has not opened its repository yet, tries again what will not change. 0.17 and newer do that for a
 * quarter of an hour, in which nobody is told of a wrong key.
 */
export function isHopeless(line: string): boolean {
  return /^(?:Stat|Load|List|Save)\(<(?:config|key|lock)\//.test(line) && retrying.test(line) && lasting.test(line);
}

/**
 * Why a restic was interrupted: what it said of its tries, where it was given up for its silence. By itself it tries for a
 * quarter of an hour, for which nobody waits.
 */
export function interruptedError(reason: unknown, end: ResticEnd, { action, repository, secret }: Attempt): unknown {
  const { kind: reasonKind } = PluginError.from(reason);
  const line = end.lines.findLast((text) => retrying.test(text));
  // An error of the plugin's own says more than that time is up.
  if (reasonKind !== "timeout" || (line === undefined && reason instanceof PluginError)) return reason;
  const words = line === undefined ? "it said nothing" : withoutSecret(line.replace(retrying, ""), secret);
  const { kind = "timeout", remedy = "check the network and the repository's store" } = meaningOf(end) ?? {};
  const text = `${action} in repository ${repository}: restic got no further in the time that there is: ${words}; ${remedy}`;
  return new PluginError(text, { kind, cause: reason });
}

function withoutSecret(text: string, secret: string | undefined): string {
  return secret === undefined ? text : text.replaceAll(secret, "***");
}

/** What kind of failure the words of a restic tell of; undefined where they say nothing that is known. */
export function kindOf(end: ResticEnd): PluginErrorKind | undefined {
  return meaningOf(end)?.kind;
}

function meaningOf({ lines }: ResticEnd): Meaning | undefined {
  const text = lines.join("\n");
  return meanings.find(({ pattern }) => pattern.test(text));
}

function unexpectedError(end: ResticEnd, told: string, code: string): PluginError {
  const meaning = meaningOf(end);
  const remedy = meaning?.remedy ?? "run the same with restic by hand to see more";
  return new PluginError(`${told}; ${remedy}`, { kind: meaning?.kind ?? "internal", code });
}

function codeOf({ code, signal }: ResticEnd): string {
  return code === null ? `signal ${signal}` : `exit code ${code}`;
}

function answerOf(end: ResticEnd, secret: string | undefined): string {
  if (secret === undefined) return lastWords(end);
  // What it says of an address that it cannot parse are parts of the password.
  if (badAddress.test(end.lines.join("\n"))) return "the repository's address cannot be parsed";
  return withoutSecret(lastWords(end), secret);
}

/** The lines that say most, in one. */
function lastWords({ lines }: ResticEnd): string {
  // What an interrupt makes of it.
  const own = lines.filter((line) => !/context canceled|signal \w+ received/.test(line));
  const fatal = own.filter((line) => /^(?:Fatal|error|unable|pack )/i.test(line));
  const text = (fatal.length > 0 ? fatal : own).slice(-3).join(" / ");
  return text === "" ? "it said nothing" : text;
}
