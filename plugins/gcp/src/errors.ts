import { absentError, answerError, deniedMeaning, meaningOfStatus } from "@flotilla/sdk/network";
import type { Attempt, Meaning } from "@flotilla/sdk/network";
import { PluginError } from "@flotilla/sdk/plugin";
import type { ApiAnswer } from "./answers.ts";
import { alteredBytes, missingBucket, requesterPays, storageCodes, tokenCodes } from "./service-codes.ts";

export type { Attempt } from "@flotilla/sdk/network";

/** Turns an error answer into a PluginError. */
export type Translate = (answer: ApiAnswer, attempt: Attempt) => PluginError;

/**
 * Turns an error answer of Cloud Storage into a PluginError. A missing bucket answers the same 404 as a missing object:
 * the driver looks which it was before it says `not-found` to anybody.
 */
export function translateStorageAnswer(answer: ApiAnswer, attempt: Attempt): PluginError {
  if (answer.status === 404)
    return attempt.subject === undefined
      ? answerError(undefined, answer, attempt, missingBucket)
      : absentError(undefined, answer, attempt.subject);
  const known = Object.hasOwn(storageCodes, answer.code) ? storageCodes[answer.code] : undefined;
  if (known === undefined) return answerError(undefined, answer, attempt, meaningInWords(answer, attempt));
  // One code for a request without a token and for one that names nobody to pay for it.
  const meaning = answer.code === "required" && answer.status === 400 ? requesterPays : known;
  if (meaning.kind !== "denied" || meaning.remedy !== "") return answerError(undefined, answer, attempt, meaning);
  // A refusal names the permission that was missing, and says who lacks it or which policy forbids it.
  const text = `${meaning.text}${quoted(answer)}`;
  return answerError(undefined, answer, attempt, { ...meaning, text, remedy: deniedMeaning(attempt).remedy });
}

/**
 * The same for a request that sent an object's bytes with their checksum. A mismatch has the code of any other wrong
 * value (`invalid`), but only a mismatch cites the checksum that was sent.
 */
export function translateUploadAnswer(
  answer: ApiAnswer,
  attempt: Attempt,
  sentChecksum: string | undefined,
): PluginError {
  const isMismatch = answer.status === 400 && sentChecksum !== undefined && answer.message.includes(sentChecksum);
  return isMismatch ? answerError(undefined, answer, attempt, alteredBytes) : translateStorageAnswer(answer, attempt);
}

/** Turns an error answer of an endpoint that issues tokens into a PluginError. */
export function translateTokenAnswer(answer: ApiAnswer, attempt: Attempt): PluginError {
  const known = Object.hasOwn(tokenCodes, answer.code) ? tokenCodes[answer.code] : undefined;
  return answerError(undefined, answer, attempt, known ?? meaningOfRefusedToken(answer, attempt));
}

/** The error of an answer that a service of Google's does not give. */
export function foreignAnswer({ action }: Attempt): PluginError {
  return new PluginError(
    `${action}: the answer is not the service's; check that the endpoint is the service's API and not a proxy's page`,
    { kind: "unavailable" },
  );
}

function meaningOfRefusedToken(answer: ApiAnswer, attempt: Attempt): Meaning {
  const { status } = answer;
  if (status === 404)
    return {
      kind: "denied",
      text: "there is no such service account",
      remedy: "check the location's credentials, or the service account of the node or pod",
    };
  if (status === 400)
    return { kind: "denied", text: `no token was issued${quoted(answer)}`, remedy: "check the location's credentials" };
  return meaningInWords(answer, attempt);
}

/** What a status says, and why the API refused the request: it is the only one who can tell. */
export function meaningInWords(answer: ApiAnswer, attempt: Attempt): Meaning {
  const meaning = meaningOfStatus(answer, attempt);
  const isTelling = meaning.kind === "invalid-argument" || meaning.kind === "denied";
  return isTelling ? { ...meaning, text: `${meaning.text}${quoted(answer)}` } : meaning;
}

/** In the service's words; a proxy's page has none. */
function quoted({ message }: ApiAnswer): string {
  return message === "" || message.startsWith("<") ? "" : `: "${message}"`;
}
