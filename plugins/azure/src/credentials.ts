import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { AccessToken, GetTokenOptions, TokenCredential } from "@azure/identity";
import type { HttpClient } from "@azure/core-rest-pipeline";
import { certificatesIn } from "@flotilla/sdk/network";
import { PluginError } from "@flotilla/sdk/plugin";
import type { OpenContext } from "@flotilla/sdk/plugin";
import type { CredentialsFile } from "./credentials-file.ts";
import { translateCredentialsError } from "./errors.ts";
import { ThrottledClient } from "./throttled-client.ts";
import { WitnessingClient } from "./witnessing-client.ts";

/** An identity of Entra, and how it is proved. */
export type Identity = ApplicationIdentity | ManagedIdentity;

/** An application (service principal) of one tenant. */
export interface ApplicationIdentity {
  readonly kind: "application";
  readonly tenantId: string;
  readonly clientId: string;
  readonly proof: ApplicationProof;
  /** Tenants beside its own that may be asked for tokens, or `*`. */
  readonly additionalTenants: readonly string[];
}

/** What an application shows to Entra. */
type ApplicationProof =
  | { readonly kind: "secret"; readonly secret: string }
  | {
      readonly kind: "certificate";
      /** PEM: the certificate, its chain and its private key. */
      readonly pem: string;
      readonly password: string | undefined;
      readonly sendsChain: boolean;
    }
  /** A token of the cluster's own issuer, read anew each time, since the kubelet replaces it. */
  | {
      readonly kind: "federated";
      readonly tokenFile: string;
      /** The pod's own application, where a line of the location stands before it. */
      readonly podClientId?: string;
    };

/** The identity of the node or the pod, asked of the metadata service. */
interface ManagedIdentity {
  readonly kind: "managed";
  /** Of a user-assigned one; undefined for the system's. */
  readonly clientId: string | undefined;
}

/** Where tokens are asked for. */
export interface TokenOptions {
  readonly authorityHost: string;
  /** Whether Entra's instance discovery knows the authority; a private one is trusted as configured. */
  readonly isAuthorityKnown: boolean;
  readonly httpClient: HttpClient;
}

// Together with the SDK's three more tries, the first is over before the layers give up a transfer: it is the authority
// that its failure names then. The metadata service may take longer, as it is restarted now and then.
const answerTimeoutsMs = { application: 15_000, managed: 30_000 };

/**
 * Finds a location's identity, in the official plugin's order: secret or certificate of the file, the cluster's
 * federated token (workload identity), managed identity. Makes no request.
 */
export async function findIdentity(file: CredentialsFile, env: OpenContext["env"]): Promise<Identity> {
  const additionalTenants = (file.line("AZURE_ADDITIONALLY_ALLOWED_TENANTS") ?? "")
    .split(";")
    .map((tenant) => tenant.trim())
    .filter((tenant) => tenant !== "");
  const proof = await findProof(file);
  if (proof !== undefined)
    return {
      kind: "application",
      tenantId: requireLine(file, "AZURE_TENANT_ID"),
      clientId: requireLine(file, "AZURE_CLIENT_ID"),
      proof,
      additionalTenants,
    };
  const tokenFile = env["AZURE_FEDERATED_TOKEN_FILE"];
  if (tokenFile) return { ...workloadIdentity(file, env, tokenFile), additionalTenants };
  // Beside lines, the environment's may be meant for another program.
  const clientId = file.path === undefined ? env["AZURE_CLIENT_ID"] || undefined : file.line("AZURE_CLIENT_ID");
  return { kind: "managed", clientId };
}

/** For messages: who is asked for, never with what. */
export function describeIdentity(identity: Identity): string {
  if (identity.kind === "managed")
    return identity.clientId === undefined
      ? "the node's managed identity"
      : `the managed identity "${identity.clientId}"`;
  return `application "${identity.clientId}" of tenant "${identity.tenantId}"`;
}

/** A credential that loads the identity SDK at its first use and whose failures say whose token was asked for. */
export function createTokenCredential(identity: Identity, options: TokenOptions): TokenCredential {
  let loaded: Promise<TokenCredential> | undefined;
  const witness = new WitnessingClient(options.httpClient, answerTimeoutsMs[identity.kind]);
  const httpClient = new ThrottledClient(witness);
  const load = async (): Promise<TokenCredential> => {
    const { createSdkCredential } = await import("./sdk-credentials.ts");
    return createSdkCredential(identity, { ...options, httpClient });
  };
  return {
    getToken: async (scopes: string | string[], tokenOptions?: GetTokenOptions): Promise<AccessToken | null> => {
      try {
        loaded ??= load();
        // One token serves many calls: the end of the one that happened to ask for it must not fail the others.
        const { abortSignal: _, ...rest } = tokenOptions ?? {};
        return await (await loaded).getToken(scopes, rest);
      } catch (error) {
        // The SDK's own memory of a busy authority would refuse every call of the next minute without asking.
        loaded = undefined;
        const from = identity.kind === "managed" ? "the metadata service" : options.authorityHost;
        // Without a metadata service there is no managed identity: that is for the identity's remedy to tell.
        const thrown = identity.kind === "managed" ? error : witness.explain(error);
        const action = `get a token for ${describeIdentity(identity)} from ${from}`;
        throw withOverride(translateCredentialsError(thrown, { action, permission: "" }), identity);
      }
    },
  };
}

/** Names the line that a workload identity is asked for in vain, where the pod has another of its own. */
function withOverride(error: PluginError, identity: Identity): PluginError {
  const { code, kind, requestId } = error;
  const podClientId =
    identity.kind === "application" && identity.proof.kind === "federated" ? identity.proof.podClientId : undefined;
  if (podClientId === undefined || code === undefined || !/^AADSTS7002|^AADSTS700016$/.test(code)) return error;
  const text = `the line AZURE_CLIENT_ID of the location's credentials file stands before the pod's application "${podClientId}": remove the line to be that one`;
  return new PluginError(`${error.message}; ${text}`, { kind, code, requestId, cause: error });
}

/** Reads the federated token as it is now. */
export async function readFederatedToken(tokenFile: string): Promise<string> {
  try {
    return (await readFile(tokenFile, "utf8")).trim();
  } catch (error) {
    throw new PluginError(
      `the federated token "${tokenFile}" (AZURE_FEDERATED_TOKEN_FILE) cannot be read; check that the server's pod has the label azure.workload.identity/use: "true"`,
      { kind: "invalid-config", cause: error },
    );
  }
}

async function findProof(file: CredentialsFile): Promise<ApplicationProof | undefined> {
  const secret = file.line("AZURE_CLIENT_SECRET");
  if (secret !== undefined) return { kind: "secret", secret };
  const certificate = await findCertificate(file);
  if (certificate !== undefined) {
    const sendsChain = file.line("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN")?.toLowerCase();
    return { kind: "certificate", ...certificate, sendsChain: sendsChain === "1" || sendsChain === "true" };
  }
  if (file.line("AZURE_USERNAME") === undefined) return undefined;
  throw new PluginError(
    `${file.description} has AZURE_USERNAME: Entra refuses a user's password wherever it asks for a second factor; give an application's AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE instead`,
    { kind: "invalid-config" },
  );
}

function workloadIdentity(
  file: CredentialsFile,
  env: OpenContext["env"],
  tokenFile: string,
): Omit<ApplicationIdentity, "additionalTenants"> {
  // A file of the location's own tells locations apart; one for all says nothing that the pod's identity does not.
  const setting = (name: string): string | undefined =>
    (file.isOwn ? file.line(name) : undefined) ?? (env[name] || undefined) ?? file.line(name);
  const clientId = setting("AZURE_CLIENT_ID");
  const tenantId = setting("AZURE_TENANT_ID");
  if (clientId === undefined || tenantId === undefined)
    throw new PluginError(
      "AZURE_FEDERATED_TOKEN_FILE is set without AZURE_CLIENT_ID and AZURE_TENANT_ID; annotate the server's service account with azure.workload.identity/client-id, or write both lines into the location's credentials file",
      { kind: "invalid-config" },
    );
  const podClientId = env["AZURE_CLIENT_ID"];
  const isOverridden = podClientId !== undefined && podClientId !== "" && podClientId !== clientId;
  const proof = { kind: "federated", tokenFile, ...(isOverridden ? { podClientId } : {}) } as const;
  return { kind: "application", tenantId, clientId, proof };
}

function requireLine(file: CredentialsFile, name: string): string {
  const value = file.line(name);
  if (value !== undefined) return value;
  throw new PluginError(`${file.description} has a secret or certificate but no line ${name}; add it`, {
    kind: "invalid-config",
  });
}

type Certificate = Pick<Extract<ApplicationProof, { readonly kind: "certificate" }>, "pem" | "password">;

/** The certificate of the lines, inline before that of a file; a PFX becomes a PEM that needs no password any more. */
async function findCertificate(file: CredentialsFile): Promise<Certificate | undefined> {
  const inline = file.line("AZURE_CLIENT_CERTIFICATE");
  const path = file.line("AZURE_CLIENT_CERTIFICATE_PATH");
  const password = file.line("AZURE_CLIENT_CERTIFICATE_PASSWORD");
  if (inline !== undefined) return await readCertificate(Buffer.from(inline), "AZURE_CLIENT_CERTIFICATE", password);
  if (path === undefined) return undefined;
  const where = `the certificate file "${path}" (AZURE_CLIENT_CERTIFICATE_PATH)`;
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new PluginError(`${where} cannot be read`, { kind: "invalid-config", cause: error });
  }
  return await readCertificate(bytes, where, password);
}

async function readCertificate(bytes: Buffer, where: string, password: string | undefined): Promise<Certificate> {
  const text = bytes.toString("utf8");
  if (/-----BEGIN CERTIFICATE-----/.test(text) && /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    return { pem: leafFirst(text, password), password };
  const pfx = isDer(bytes) ? bytes : Buffer.from(text, "base64");
  if (isDer(pfx)) {
    const { pemOfPfx } = await import("./pfx.ts");
    return { pem: pemOfPfx(pfx, password ?? "", where), password: undefined };
  }
  throw new PluginError(`${where} is no certificate with its private key, in PEM or PFX form`, {
    kind: "invalid-config",
  });
}

/** The PEM with the certificate of its key first, which Entra knows by its hash; the identity SDK takes what comes first. */
function leafFirst(pem: string, passphrase: string | undefined): string {
  const certificates = certificatesIn(pem);
  const [keyBlock] = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?-----END \1-----/.exec(pem) ?? [];
  if (certificates.length < 2 || keyBlock === undefined) return pem;
  try {
    const key = createPrivateKey({ key: keyBlock, ...(passphrase === undefined ? {} : { passphrase }) });
    const leaf = certificates.find((one) => new X509Certificate(one).checkPrivateKey(key));
    if (leaf === undefined) return pem;
    return [leaf, ...certificates.filter((one) => one !== leaf), keyBlock].join("\n");
  } catch {
    // A wrong password, for example: the identity SDK tells.
    return pem;
  }
}

/** Whether bytes begin as a sequence of more than 255 bytes does, which is what a PFX is. */
function isDer(bytes: Buffer): boolean {
  return bytes[0] === 0x30 && bytes[1] === 0x82;
}
