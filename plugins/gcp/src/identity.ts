import { PluginError } from "@flotilla/sdk/plugin";
import { isRecord } from "./answers.ts";
import type { CredentialsFile } from "./credentials-file.ts";

/** An identity of Google's, and how it is proved. */
export type Identity =
  | ServiceAccountKey
  | AuthorizedUser
  | FederatedIdentity
  | ImpersonatedAccount
  | MetadataIdentity
  | Anonymous;

/** A service account by its private key. */
export interface ServiceAccountKey {
  readonly kind: "service-account";
  readonly email: string;
  readonly keyId: string | undefined;
  /** PEM. */
  readonly privateKey: string;
  readonly tokenUri: string;
}

/** A person who signed in once. */
export interface AuthorizedUser {
  readonly kind: "user";
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
  readonly tokenUri: string;
}

/** A token of somebody else's issuer (a cluster's, AWS's), exchanged for Google's: workload identity federation. */
export interface FederatedIdentity {
  readonly kind: "federated";
  readonly audience: string;
  /** The whole file without its impersonation, as the SDK takes it. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Whom its tokens are exchanged for; a program that prints tokens is told. */
  readonly impersonatedEmail: string | undefined;
}

/** A service account whose tokens another identity may ask for. */
export interface ImpersonatedAccount {
  readonly kind: "impersonated";
  readonly email: string;
  /** Ends with `:generateAccessToken`. */
  readonly url: string;
  readonly delegates: readonly string[];
  readonly lifetimeSeconds: number;
  readonly source: Identity;
}

/** The service account of the node or the pod, asked of the metadata server. */
interface MetadataIdentity {
  readonly kind: "metadata";
}

/** Nobody: for an emulator. */
interface Anonymous {
  readonly kind: "anonymous";
}

const publicTokenUri = "https://oauth2.googleapis.com/token";
const defaultLifetimeSeconds = 3600;

/** Reads the identity of a credentials file. Makes no request. */
export function identityOf(file: CredentialsFile): Identity {
  return parseIdentity(file.fields, file.description);
}

/** For messages: who is asked for, never with what. */
export function describeIdentity(identity: Identity): string {
  if ("email" in identity) return `the service account "${identity.email}"`;
  if (identity.kind === "federated") return `the workload of "${identity.audience}"`;
  return names[identity.kind];
}

const names = {
  user: "the user of gcloud",
  metadata: "the service account of the node or pod",
  anonymous: "nobody",
};

type Fields = Readonly<Record<string, unknown>>;

function parseIdentity(fields: Fields, where: string): Identity {
  switch (fields["type"]) {
    case "service_account":
      return parseServiceAccount(fields, where);
    case "authorized_user":
      return {
        kind: "user",
        clientId: requireField(fields, "client_id", where),
        clientSecret: requireField(fields, "client_secret", where),
        refreshToken: requireField(fields, "refresh_token", where),
        tokenUri: field(fields, "token_uri") ?? publicTokenUri,
      };
    case "external_account":
      return parseExternalAccount(fields, where);
    case "external_account_authorized_user":
      return {
        kind: "federated",
        audience: field(fields, "audience") ?? "a workforce pool",
        fields,
        impersonatedEmail: undefined,
      };
    case "impersonated_service_account":
      return parseImpersonated(fields, where);
    case undefined:
      throw invalid(
        where,
        'has no field "type"; it must be a key of a service account or what gcloud writes for workload identity federation, as it was downloaded',
      );
    default:
      throw invalid(
        where,
        `is of the unknown type "${String(fields["type"])}"; give a service_account, external_account, impersonated_service_account or authorized_user`,
      );
  }
}

function parseServiceAccount(fields: Fields, where: string): ServiceAccountKey {
  const privateKey = requireField(fields, "private_key", where);
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(privateKey))
    throw invalid(where, 'has a field "private_key" that is no PEM key; give the key file as it was downloaded');
  return {
    kind: "service-account",
    email: requireField(fields, "client_email", where),
    keyId: field(fields, "private_key_id"),
    privateKey,
    tokenUri: field(fields, "token_uri") ?? publicTokenUri,
  };
}

function parseExternalAccount(fields: Fields, where: string): Identity {
  const { service_account_impersonation_url: url, service_account_impersonation: options, ...rest } = fields;
  const audience = requireField(rest, "audience", where);
  requireField(rest, "subject_token_type", where);
  if (!isRecord(rest["credential_source"]))
    throw invalid(where, 'has no field "credential_source"; make it again by gcloud iam workload-identity-pools');
  const source: FederatedIdentity = { kind: "federated", audience, fields: rest, impersonatedEmail: undefined };
  if (url === undefined || url === "") return source;
  const impersonated = parseImpersonationUrl(url, where);
  const seconds = isRecord(options) ? Number(options["token_lifetime_seconds"] ?? defaultLifetimeSeconds) : NaN;
  return {
    kind: "impersonated",
    ...impersonated,
    delegates: [],
    lifetimeSeconds: Number.isInteger(seconds) && seconds > 0 ? seconds : defaultLifetimeSeconds,
    source: { ...source, impersonatedEmail: impersonated.email },
  };
}

function parseImpersonated(fields: Fields, where: string): ImpersonatedAccount {
  const { source_credentials: source, delegates } = fields;
  if (!isRecord(source))
    throw invalid(where, 'has no field "source_credentials"; make it again by gcloud auth application-default login');
  return {
    kind: "impersonated",
    ...parseImpersonationUrl(fields["service_account_impersonation_url"], where),
    delegates: Array.isArray(delegates) ? delegates.map(String) : [],
    lifetimeSeconds: defaultLifetimeSeconds,
    source: parseIdentity(source, `${where} (its source_credentials)`),
  };
}

function parseImpersonationUrl(url: unknown, where: string): { readonly url: string; readonly email: string } {
  const text = typeof url === "string" && URL.canParse(url) ? url : "";
  const [, email] = /\/serviceAccounts\/([^/:]+):generateAccessToken$/.exec(text) ?? [];
  if (email === undefined)
    throw invalid(
      where,
      'has a field "service_account_impersonation_url" that does not end with serviceAccounts/EMAIL:generateAccessToken',
    );
  return { url: text, email: decodeURIComponent(email) };
}

function field(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function requireField(fields: Fields, name: string, where: string): string {
  const value = field(fields, name);
  if (value !== undefined) return value;
  throw invalid(where, `has no field "${name}"; give the file as it was downloaded or made by gcloud`);
}

function invalid(where: string, what: string): PluginError {
  return new PluginError(`${where} ${what}`, { kind: "invalid-config" });
}
