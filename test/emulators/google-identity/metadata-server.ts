import type { WholeAnswer } from "../whole-request.ts";
import type { TokenService } from "./token-endpoint.ts";
import { cloudPlatformScope } from "./tokens.ts";

/** The machine, or the pod, whose metadata are served. */
export interface MachineSeed {
  readonly projectId: string;
  /** Default: 123456789012. */
  readonly projectNumber?: string;
  /** The service account that it runs as; without one there are no tokens. */
  readonly serviceAccount?: string;
  /** What its tokens are good for where none are asked for. Default: cloud-platform. */
  readonly scopes?: readonly string[];
  /** Default: googleapis.com. */
  readonly universeDomain?: string;
  /** Default: us-central1-a. */
  readonly zone?: string;
  readonly clusterName?: string;
}

/** A request for metadata. */
export interface MetadataRequest {
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
}

const root = "/computeMetadata/v1";
const flavor = { "metadata-flavor": "Google", server: "Metadata Server for VM" };

/** Answers in place of the metadata server of Compute Engine and GKE. */
export function answerMetadata(
  service: TokenService,
  machine: MachineSeed | undefined,
  request: MetadataRequest,
): WholeAnswer {
  const { headers } = request;
  const path = request.path.replace(/\/+$/, "");
  if (machine === undefined) return refuse(404, "There is no metadata server here.");
  // A ping of the root is answered to everybody: that is how libraries find out where they run.
  if (path === "") return text("computeMetadata/\n");
  if (headers.get("metadata-flavor") !== "Google") return refuse(403, "Missing Metadata-Flavor:Google header.");
  if (headers.has("x-forwarded-for")) return refuse(403, "Requests with X-Forwarded-For are not served.");
  if (path.startsWith(`${root}/instance/service-accounts`)) return answerAccount(service, machine, path, request.query);
  const value = plainValues(machine)[path.slice(root.length)];
  return value === undefined ? refuse(404, `The requested URL ${path} was not found on this server.`) : text(value);
}

function plainValues(machine: MachineSeed): Readonly<Record<string, string | undefined>> {
  const { projectNumber = "123456789012", zone = "us-central1-a" } = machine;
  return {
    "": "instance/\nproject/\nuniverse/\n",
    "/instance": "attributes/\nservice-accounts/\nzone\n",
    "/instance/zone": `projects/${projectNumber}/zones/${zone}`,
    "/instance/attributes/cluster-name": machine.clusterName,
    "/instance/attributes/cluster-location": machine.clusterName === undefined ? undefined : zone,
    "/project/project-id": machine.projectId,
    "/project/numeric-project-id": projectNumber,
    "/universe/universe-domain": machine.universeDomain ?? "googleapis.com",
    "/universe/universe_domain": machine.universeDomain ?? "googleapis.com",
  };
}

function answerAccount(
  service: TokenService,
  machine: MachineSeed,
  path: string,
  query: ReadonlyMap<string, string>,
): WholeAnswer {
  const { serviceAccount: email } = machine;
  const [, name, what = ""] = /\/service-accounts(?:\/([^/]+)(?:\/([^/]+))?)?$/.exec(path) ?? [];
  if (name === undefined) return text(email === undefined ? "" : `default/\n${email}/\n`);
  if (email === undefined || (name !== "default" && decodeURIComponent(name) !== email)) {
    return refuse(404, "The service account was not found.");
  }
  const { scopes = [cloudPlatformScope] } = machine;
  if (what === "token") return answerToken(service, email, scopes, query.get("scopes") ?? "");
  if (what === "" && query.get("recursive") === "true") return json({ aliases: ["default"], email, scopes });
  const values: Readonly<Record<string, string>> = {
    "": "aliases\nemail\nidentity\nscopes\ntoken\n",
    aliases: "default\n",
    email,
    scopes: `${scopes.join("\n")}\n`,
  };
  const value = values[what];
  return value === undefined ? refuse(404, "The requested value was not found.") : text(value);
}

function answerToken(service: TokenService, email: string, granted: readonly string[], asked: string): WholeAnswer {
  const { tokens, tokenLifetimeMs } = service;
  const wanted = asked.split(/[ ,]/).filter((scope) => scope !== "");
  const token = tokens.issue(email, wanted.length > 0 ? wanted : granted, tokenLifetimeMs);
  return json({ access_token: token, expires_in: Math.floor(tokenLifetimeMs / 1000), token_type: "Bearer" });
}

function text(body: string): WholeAnswer {
  return { status: 200, headers: { ...flavor, "content-type": "application/text" }, body };
}

function json(body: Readonly<Record<string, unknown>>): WholeAnswer {
  return { status: 200, headers: { ...flavor, "content-type": "application/json" }, body: JSON.stringify(body) };
}

function refuse(status: number, reason: string): WholeAnswer {
  return { status, headers: { ...flavor, "content-type": "text/html; charset=UTF-8" }, body: `<html>${reason}</html>` };
}
