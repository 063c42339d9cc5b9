import { localError } from "@flotilla/sdk/network";
import { parseObject, readApiAnswer, readText } from "./answers.ts";
import { foreignAnswer } from "./errors.ts";
import type { Attempt, Translate } from "./errors.ts";
import type { HttpAnswer, HttpRequest, Transport } from "./transport.ts";

/** Sends one request; what fails below HTTP becomes a PluginError, any status is an answer. */
export async function sendTranslated(
  transport: Transport,
  request: HttpRequest,
  attempt: Attempt,
): Promise<HttpAnswer> {
  try {
    return await transport.send(request);
  } catch (error) {
    throw localError(error, { ...attempt, signal: request.signal });
  }
}

/** The JSON object of a good answer; throws what the translation makes of any other. */
export async function readJson(
  answer: HttpAnswer,
  attempt: Attempt,
  translate: Translate,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  if (answer.status < 200 || answer.status > 299) throw translate(await readApiAnswer(answer), attempt);
  let text: string;
  try {
    text = await readText(answer);
  } catch (error) {
    throw localError(error, { ...attempt, signal });
  }
  const body = parseObject(text);
  if (body === undefined) throw foreignAnswer(attempt);
  return body;
}
