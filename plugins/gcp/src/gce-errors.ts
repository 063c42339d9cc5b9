import { answerError, deniedMeaning, meaningOfStatus } from "@flotilla/sdk/network";
import type { Attempt, Meaning } from "@flotilla/sdk/network";
import type { PluginError } from "@flotilla/sdk/plugin";
import type { ApiAnswer } from "./answers.ts";
import { isAbsence, meaningOfReason } from "./gce-codes.ts";
import type { GceOperation } from "./gce-resources.ts";

const maxMessageLength = 400;

/** Turns an error answer of Compute Engine into a PluginError. */
export function translateGceAnswer(answer: ApiAnswer, attempt: Attempt): PluginError {
  if (answer.status === 404 && isAbsence(answer.code) && attempt.subject !== undefined) {
    const absent = inItsWords({ kind: "not-found", text: "", remedy: "" }, answer.message);
    return answerError(undefined, answer, { ...attempt, action: `${attempt.subject} not found` }, absent);
  }
  return answerError(undefined, answer, attempt, inItsWords(meaningOf(answer, attempt), answer.message));
}

/** The error of an operation that Compute Engine accepted and that failed afterwards; undefined for one that did not. */
export function describeLateFailure(operation: GceOperation, attempt: Attempt): PluginError | undefined {
  const [first] = operation.error?.errors ?? [];
  const status = operation.httpErrorStatusCode ?? 200;
  if (first === undefined && status < 400) return undefined;
  const { code = "no code", message = "" } = first ?? {};
  const later: Meaning = { kind: "unavailable", text: "Compute Engine accepted it and failed later", remedy: "" };
  const meaning = inItsWords(knownMeaning(code, attempt) ?? later, message);
  return answerError(undefined, { code, status, requestId: undefined }, attempt, meaning);
}

function meaningOf(answer: ApiAnswer, attempt: Attempt): Meaning {
  const known = knownMeaning(answer.code, attempt);
  if (known !== undefined) return known;
  if (answer.status === 404)
    return { kind: "invalid-argument", text: "something that it needs is missing", remedy: "" };
  return meaningOfStatus(answer, attempt);
}

function knownMeaning(code: string, attempt: Attempt): Meaning | undefined {
  const known = meaningOfReason(code);
  if (known?.kind !== "denied" || known.remedy !== "") return known;
  return { ...known, remedy: deniedMeaning(attempt).remedy };
}

/** The service's text tells what no reason does: the missing permission, the quota with its numbers, the field. */
function inItsWords(meaning: Meaning, message: string): Meaning {
  const line = message.replaceAll(/\s+/g, " ").trim();
  if (line === "") return meaning;
  const short = line.length <= maxMessageLength ? line : `${line.slice(0, maxMessageLength)}…`;
  return { ...meaning, text: meaning.text === "" ? short : `${meaning.text}: ${short}` };
}
