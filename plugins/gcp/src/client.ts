import { PluginError } from "@flotilla/sdk/plugin";
import type { Call, OpenContext } from "@flotilla/sdk/plugin";
import { readCredentialsFile } from "./credentials-file.ts";
import type { CredentialsFile } from "./credentials-file.ts";
import { createTokenSource, publicUniverse } from "./credentials.ts";
import type { Translate } from "./errors.ts";
import { GoogleApi } from "./google-api.ts";
import { identityOf } from "./identity.ts";
import type { Identity } from "./identity.ts";
import { MetadataServer } from "./metadata-server.ts";
import type { TokenSource } from "./token-source.ts";
import { createTransport } from "./transport.ts";
import type { Transport } from "./transport.ts";

/** The keys that decide how Google Cloud is reached, of either kind of location. */
export interface ConnectionConfig {
  readonly credentialsFile: string | undefined;
  readonly universeDomain: string | undefined;
  readonly caCert: string | undefined;
  readonly insecureSkipVerify: boolean;
  /** Whether a file that the environment names bills nobody: as the official plugin asks Compute Engine. */
  readonly billsByOwnFileOnly?: boolean;
  /** In place of what the credentials are: nobody, for an emulator. */
  readonly identity?: Identity;
}

/** An opened location's way to Google Cloud. */
export interface Connection {
  readonly identity: Identity;
  /** For messages: where the identity was found. */
  readonly credentials: string;
  readonly universeDomain: string;
  readonly transport: Transport;
  readonly env: OpenContext["env"];
  /** Tokens of these scopes; undefined for nobody. One source for the same scopes. */
  tokens(scope: string): TokenSource | undefined;
  /** Requests with tokens of this scope, whose refusals the translation puts into words. */
  api(scope: string, translate: Translate): GoogleApi;
  /** The project that the credentials, the environment or the node name; undefined where none of them does. */
  projectId(call: Call): Promise<string | undefined>;
  /** The e-mail address of the node's or pod's service account. */
  metadataEmail(call: Call): Promise<string>;
  /** Closes the connections. */
  close(): void;
}

/** Resolves a location's identity and network from its keys, its credentials file and the environment. Makes no request. */
export async function openConnection(config: ConnectionConfig, context: OpenContext): Promise<Connection> {
  const { env, signal } = context;
  const file =
    config.identity === undefined
      ? await readCredentialsFile({ credentialsFile: config.credentialsFile, env, signal })
      : undefined;
  const identity: Identity = config.identity ?? (file === undefined ? { kind: "metadata" } : identityOf(file));
  const universeDomain = universeOf(config, file, env);
  const transport = createTransport({ env, caCert: config.caCert, insecureSkipVerify: config.insecureSkipVerify });
  const metadata = new MetadataServer(transport, env["GCE_METADATA_HOST"]);
  const sources = new Map<string, TokenSource | undefined>();
  const tokens = (scope: string): TokenSource | undefined => {
    if (!sources.has(scope))
      sources.set(scope, createTokenSource(identity, [scope], { transport, env, universeDomain }));
    return sources.get(scope);
  };
  const isBilling = config.billsByOwnFileOnly !== true || config.credentialsFile !== undefined;
  const quotaProject =
    env["GOOGLE_CLOUD_QUOTA_PROJECT"] || (isBilling ? textField(file, "quota_project_id") : undefined);
  return {
    identity,
    credentials: file?.description ?? (identity.kind === "metadata" ? "the metadata server" : "the environment"),
    universeDomain,
    transport,
    env,
    tokens,
    api: (scope, translate) => new GoogleApi({ transport, tokens: tokens(scope), quotaProject, translate }),
    projectId: async (call) =>
      textField(file, "project_id") ?? (await projectWithoutFile(identity, metadata, env, call)),
    metadataEmail: async (call) => await metadata.email(call),
    close: () => transport.destroy(),
  };
}

/** The node's own project, as the official plugin has it; the environment's only where there is no node to tell. */
async function projectWithoutFile(
  identity: Identity,
  metadata: MetadataServer,
  env: OpenContext["env"],
  call: Call,
): Promise<string | undefined> {
  const named = env["GOOGLE_CLOUD_PROJECT"] || env["GCLOUD_PROJECT"] || undefined;
  if (identity.kind !== "metadata") return named;
  try {
    return await metadata.projectId(call);
  } catch (error) {
    if (named === undefined || call.signal.aborted) throw error;
    call.log.debug("the node does not tell its project: the environment's is taken", { project: named });
    return named;
  }
}

function universeOf(config: ConnectionConfig, file: CredentialsFile | undefined, env: OpenContext["env"]): string {
  const ofCredentials = textField(file, "universe_domain");
  const wanted = config.universeDomain ?? (env["GOOGLE_CLOUD_UNIVERSE_DOMAIN"] || undefined);
  if (wanted !== undefined && ofCredentials !== undefined && wanted !== ofCredentials)
    throw new PluginError(
      `${file?.description ?? ""} is of the universe "${ofCredentials}", the location of "${wanted}"; correct the location's key universeDomain or give credentials of its universe`,
      { kind: "invalid-config" },
    );
  return wanted ?? ofCredentials ?? publicUniverse;
}

function textField(file: CredentialsFile | undefined, name: string): string | undefined {
  const value = file?.fields[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}
