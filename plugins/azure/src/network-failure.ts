import { RestError } from "@azure/core-rest-pipeline";
import type { PipelineRequest } from "@azure/core-rest-pipeline";

// Failures that pass by themselves and that the SDKs' retry policies do not have on their lists.
const passingCodes = new Set(["EAI_AGAIN", "EPIPE", "EHOSTUNREACH", "ENETUNREACH", "ERR_PROXY_TUNNEL"]);
// Both policies try again after this one, and Node has none of the name: messages tell the cause's code.
const retriedCode = "ESOCKETTIMEDOUT";

/** A failure below HTTP as the SDKs try again after it, with whom it was about. */
export function describeFailure(error: Error, request: PipelineRequest, hostname: string): Error {
  const as = (code: string, cause?: Error): Error =>
    Object.assign(new RestError(error.message, { code, request }), cause === undefined ? { hostname } : { cause });
  const code = "code" in error ? error.code : undefined;
  if (request.abortSignal?.aborted === true) return Object.assign(error, { hostname });
  // The SDK's timeout looks like a cancelled call, and an answer that was cut like one of another form: neither would be
  // tried again.
  if (error.name === "AbortError") return as("ETIMEDOUT");
  if (code === "PARSE_ERROR") return as("ECONNRESET");
  const described = Object.assign(error, { hostname });
  const passes = typeof code === "string" && passingCodes.has(code) && !isMetadataService(request.url);
  return passes ? as(retriedCode, described) : described;
}

/** Where there is none, nothing routes to its address, and the identity SDK wants to see just that. */
function isMetadataService(url: string): boolean {
  return new URL(url).hostname === "169.254.169.254";
}
