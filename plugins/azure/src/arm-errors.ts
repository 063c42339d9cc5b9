import { isRestError } from "@azure/core-rest-pipeline";
import { absentError, answerError, deniedMeaning, localError, meaningOfStatus } from "@flotilla/sdk/network";
import type { Attempt, Meaning, ServiceAnswer } from "@flotilla/sdk/network";
import type { PluginError } from "@flotilla/sdk/plugin";
import { armCodes } from "./arm-codes.ts";
import type { ArmFailure } from "./arm-operation.ts";
import { brokenAnswer } from "./errors.ts";

// A missing subscription is none of these: an identity of another tenant sees the same, and what lies there is kept.
const absentCodes = new Set(["NotFound", "ResourceNotFound", "ResourceGroupNotFound"]);
const noCode = "no code";
const maxMessageLength = 400;
// Names the action that is missing only after two scopes of which each may have hundreds of characters.
const maxLinkedMessageLength = 1500;

/** Turns what a client of Azure Resource Manager threw into a PluginError. */
export function translateArmError(thrown: unknown, attempt: Attempt): PluginError {
  if (!isRestError(thrown) || thrown.statusCode === undefined || thrown.code === "PARSE_ERROR")
    return brokenAnswer(thrown, attempt) ?? localError(thrown, attempt);
  const { statusCode: status, code = noCode, message, response } = thrown;
  const answer = { code, status, requestId: response?.headers.get("x-ms-request-id") };
  const isAbsent = status === 404 && absentCodes.has(code);
  if (isAbsent && attempt.subject !== undefined) return absent(thrown, answer, attempt, attempt.subject);
  return answerError(thrown, answer, attempt, inItsWords(meaningOf(answer, attempt), message, code));
}

/** The error for an operation that ARM accepted and that failed afterwards. */
export function describeLateFailure({ code, message, status }: ArmFailure, attempt: Attempt): PluginError {
  const later: Meaning = { kind: "unavailable", text: "Azure accepted it and failed later", remedy: "" };
  const meaning = inItsWords(knownMeaning(code) ?? later, message, code);
  return answerError(undefined, { code, status, requestId: undefined }, attempt, meaning);
}

/** Where even its resource group is missing, that is what to mend. */
function absent(thrown: unknown, answer: ServiceAnswer, attempt: Attempt, subject: string): PluginError {
  const meaning = knownMeaning(answer.code);
  if (meaning === undefined) return absentError(thrown, answer, subject);
  return answerError(thrown, answer, { ...attempt, action: `${subject} not found` }, { ...meaning, kind: "not-found" });
}

function meaningOf(answer: ServiceAnswer, attempt: Attempt): Meaning {
  const { status, code } = answer;
  // Microsoft.Compute throttles with a code that means many things.
  const known = status === 429 ? undefined : knownMeaning(code);
  if (known?.kind === "denied" && known.remedy === "") return { ...known, remedy: deniedMeaning(attempt).remedy };
  if (known !== undefined) return known;
  // ARM never leaves the code out: it is the page of a proxy or of another server.
  if (status === 404 && code === noCode)
    return {
      kind: "unavailable",
      text: "the answer is not Azure Resource Manager's",
      remedy: "check that the endpoint is Azure Resource Manager and not a proxy's page",
    };
  if (status === 404) return { kind: "invalid-argument", text: "something that it needs is missing", remedy: "" };
  if (status === 409) return { kind: "conflict", text: "the state of the resource forbids it", remedy: "try again" };
  return meaningOfStatus(answer, attempt);
}

function knownMeaning(code: string): Meaning | undefined {
  return Object.hasOwn(armCodes, code) ? armCodes[code] : undefined;
}

/** ARM's text tells what no code does: the policy, the quota, the property. It names principals and scopes, no secrets. */
function inItsWords(meaning: Meaning, message: string, code: string): Meaning {
  const line = message.replaceAll(/\s+/g, " ").trim();
  if (line === "") return meaning;
  const maxLength = code === "LinkedAuthorizationFailed" ? maxLinkedMessageLength : maxMessageLength;
  const short = line.length <= maxLength ? line : `${line.slice(0, maxLength)}…`;
  return { ...meaning, text: `${meaning.text}: ${short}` };
}
