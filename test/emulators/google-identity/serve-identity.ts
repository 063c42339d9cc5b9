import { InjectedError } from "../fault-body.ts";
import type { RequestFacts } from "../faults.ts";
import { splitTarget } from "../http-listener.ts";
import type { WholeAnswer, WholeRequest, WholeService } from "../whole-request.ts";
import { OauthError, RpcError } from "./google-error.ts";
import { generateAccessToken, signBlob } from "./iam-credentials.ts";
import { answerMetadata } from "./metadata-server.ts";
import type { MachineSeed } from "./metadata-server.ts";
import { answerTokenRequest } from "./token-endpoint.ts";
import type { TokenService } from "./token-endpoint.ts";
import { answerTokenExchange } from "./token-exchange.ts";

/** What the endpoints of one stand-in work with; a test changes the machine and the subject token while it runs. */
export interface IdentityService extends TokenService {
  machine: MachineSeed | undefined;
  subjectToken: string;
}

const credentialsPath = /^\/v1\/projects\/-\/serviceAccounts\/([^/:]+):(generateAccessToken|signBlob)$/;

/** The endpoints of Google that hand out tokens and signatures. */
export function identityService(service: IdentityService): Pick<WholeService, "describe" | "answer" | "refuse"> {
  return {
    describe: (request) => ({
      service: "google-identity",
      method: request.method,
      operation: operationOf(request),
      key: decodeURIComponent(request.rawPath),
      query: new Map(request.query),
      headers: request.headers,
    }),
    answer: (request, facts) => answer(service, request, facts),
    refuse,
  };
}

const fixedPaths: Readonly<Record<string, string>> = {
  "POST /token": "Token",
  "POST /v1/token": "TokenExchange",
  "GET /subject-token": "SubjectToken",
  "GET /": "Metadata",
};

function operationOf({ method, rawPath }: WholeRequest): string {
  const fixed = fixedPaths[`${method} ${rawPath}`];
  if (fixed !== undefined) return fixed;
  const [, , verb] = credentialsPath.exec(decodeURIComponent(rawPath)) ?? [];
  if (method === "POST" && verb !== undefined) return verb === "signBlob" ? "SignBlob" : "GenerateAccessToken";
  if (method !== "GET" || !rawPath.startsWith("/computeMetadata/")) return "Unknown";
  return rawPath.endsWith("/token") ? "MetadataToken" : "Metadata";
}

function answer(service: IdentityService, request: WholeRequest, facts: RequestFacts): WholeAnswer {
  const { headers, body } = request;
  const form = (): ReadonlyMap<string, string> => new Map(splitTarget(`?${body.toString("utf8")}`).query);
  switch (facts.operation) {
    case "Token":
      return json(200, answerTokenRequest(service, `http://${headers.get("host") ?? ""}/token`, form()));
    case "TokenExchange":
      return json(200, answerTokenExchange(service, form()));
    case "GenerateAccessToken":
    case "SignBlob": {
      const [, account = ""] = credentialsPath.exec(facts.key ?? "") ?? [];
      const respond = facts.operation === "SignBlob" ? signBlob : generateAccessToken;
      return json(200, respond(service, { account, headers, body }));
    }
    case "SubjectToken":
      return facts.query.get("format") === "json"
        ? json(200, { id_token: service.subjectToken })
        : { status: 200, headers: { "content-type": "text/plain" }, body: service.subjectToken };
    case "Metadata":
    case "MetadataToken":
      return answerMetadata(service, service.machine, { path: request.rawPath, query: facts.query, headers });
    default:
      throw new RpcError("NOT_FOUND", "Not found; the endpoint does not exist or does not take the method.");
  }
}

function refuse(error: unknown, facts: RequestFacts): WholeAnswer {
  if (error instanceof OauthError) {
    return json(error.status, { error: error.error, error_description: error.message });
  }
  if (error instanceof InjectedError) {
    const { status, code, message, headers } = error;
    const isOauth = facts.operation === "Token" || facts.operation === "TokenExchange";
    const body = isOauth
      ? { error: code, error_description: message }
      : { error: { code: status, message, status: code } };
    return json(status, body, headers);
  }
  if (error instanceof RpcError) {
    const { status: code, message, rpcStatus: status, details } = error;
    return json(code, { error: { code, message, status, ...(details.length === 0 ? {} : { details }) } });
  }
  return json(500, { error: { code: 500, message: String(error), status: "INTERNAL" } });
}

function json(
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): WholeAnswer {
  const plain = { "content-type": "application/json; charset=utf-8", "cache-control": "no-cache, no-store" };
  return { status, headers: { ...plain, ...headers }, body: JSON.stringify(body) };
}
