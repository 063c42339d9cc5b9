import { InjectedError } from "../fault-body.ts";
import type { WholeRequest } from "../whole-request.ts";
import { factsOf, json } from "./json-answer.ts";
import type { Handlers } from "./json-answer.ts";
import { answerAppService, answerImds } from "./managed-identity.ts";
import type { TokenService } from "./token-endpoint.ts";

/** The identity endpoints that a machine offers to its processes. */
export function machineService(service: TokenService, header: string): Handlers {
  return {
    describe: (request) => factsOf(request, machineOperation(request)),
    answer: (request, facts) => {
      const asked = { query: facts.query, headers: request.headers };
      if (facts.operation === "ManagedIdentity_Unknown") return json(404, { error: "not_found" });
      const isImds = facts.operation === "ManagedIdentity_Imds";
      const { status, body } = isImds ? answerImds(service, asked) : answerAppService(service, asked, header);
      return json(status, body);
    },
    refuse: (error) => {
      const { status, code, headers } =
        error instanceof InjectedError ? error : { status: 500, code: "unknown_error", headers: {} };
      return json(status, { error: code, error_description: String(error) }, headers);
    },
  };
}

function machineOperation({ method, rawPath }: WholeRequest): string {
  if (method !== "GET") return "ManagedIdentity_Unknown";
  // The SDK adds a slash to any address.
  const path = rawPath.replace(/\/$/, "");
  if (path === "/metadata/identity/oauth2/token") return "ManagedIdentity_Imds";
  return path === "/MSI/token" ? "ManagedIdentity_AppService" : "ManagedIdentity_Unknown";
}
