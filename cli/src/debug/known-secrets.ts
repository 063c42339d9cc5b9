import { readFile } from "node:fs/promises";

import { secretName } from "./secret-patterns.ts";

/** Where secrets are known to be. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The keys of all locations. */
  readonly configs: readonly Readonly<Record<string, string>>[];
  /** Values that are secrets whatever their names. */
  readonly values: readonly string[];
  /** Files that hold credentials or keys. */
  readonly files: readonly string[];
}

/** Environment variables and keys of locations whose value is the path of a file with secrets. */
const fileNames: ReadonlySet<string> = new Set([
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_CONFIG_FILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
  "AZURE_CREDENTIALS_FILE",
  "AZURE_CLIENT_CERTIFICATE_PATH",
  "AZURE_FEDERATED_TOKEN_FILE",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "RESTIC_PASSWORD_FILE",
  "credentialsFile",
  "customerKeyEncryptionFile",
  "passwordFile",
]);

// What credentials files say beside secrets, and what is wanted to understand a report.
const harmless =
  /^(region|output|role_arn|source_profile|role_session_name|sso_\w+|type|project_id|quota_project_id|client_email|auth_uri|token_uri|token_url|universe_domain|audience|subject_token_type|service_account_impersonation_url|\w+_x509_cert_url|AZURE_(SUBSCRIPTION_ID|TENANT_ID|RESOURCE_GROUP|CLOUD_NAME|CLIENT_ID))$/;

/** Every secret that can be known: of the environment, of locations, and of the files that these name. */
export async function knownSecrets({ env, configs, values, files }: SecretSources): Promise<readonly Uint8Array[]> {
  const ofLocations = configs.flatMap((config) => Object.entries(config));
  const named = [...Object.entries(env), ...ofLocations];
  const paths = new Set([...files, ...named.flatMap(([name, value = ""]) => (fileNames.has(name) ? [value] : []))]);
  const contents = await Promise.all([...paths].filter((path) => path !== "").map(secretsOfFile));
  const texts = [
    ...values,
    ...Object.entries(env).flatMap(([name, value = ""]) => (isSecret(name) || /_KEY$/i.test(name) ? [value] : [])),
    // customerKeyEncryptionSecret and the like name a Secret of the cluster and do not hold it.
    ...ofLocations.flatMap(([name, value]) => (isSecret(name) && !name.endsWith("Secret") ? [value] : [])),
    ...named.flatMap(([, value = ""]) => passwordsOfUrls(value)),
  ];
  return [...contents.flat(), ...texts.map((text) => Buffer.from(text))].filter(({ length }) => length > 0);
}

function isSecret(name: string): boolean {
  return secretName.test(name) && !fileNames.has(name);
}

async function secretsOfFile(path: string): Promise<readonly Uint8Array[]> {
  const content = await readFile(path).catch(() => Buffer.alloc(0));
  const text = content.toString("utf8");
  const parts = /^\s*\{/.test(text) ? secretsOfJson(text) : secretsOfLines(text);
  // A key may be exactly these bytes, or these without the line's end.
  return [content, Buffer.from(text.trim()), content.subarray(0, 32), ...parts.map((part) => Buffer.from(part))];
}

function secretsOfLines(text: string): readonly string[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [, name = "", value = ""] = /^\s*(?:export\s+)?([\w.-]+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== "" && harmless.test(name)) return [];
    const whole = name === "" ? line.trim() : value;
    // Lines of PEM, of which a log may hold single ones.
    if (whole.startsWith("-----") || /^[[#]/.test(whole)) return [];
    return [whole, whole.replaceAll(/^["']|["']$/g, "")].filter(({ length }) => length >= 4);
  });
}

function secretsOfJson(text: string): readonly string[] {
  try {
    return leaves(JSON.parse(text));
  } catch {
    // Half-written: its lines still count.
    return secretsOfLines(text);
  }
}

function leaves(value: unknown, name = ""): readonly string[] {
  if (typeof value === "string")
    return harmless.test(name)
      ? []
      : [value, ...value.split("\n").filter((line) => line.length >= 16 && !line.startsWith("-----"))];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => leaves(item, key));
}

function passwordsOfUrls(text: string): readonly string[] {
  return [
    // A proxy may be named without the scheme.
    ...[...text.matchAll(/(?:[a-z][a-z0-9+.-]*:\/\/|^)([^\s/@]+)@/gi)].flatMap(([, userinfo = ""]) => {
      const password = userinfo.includes(":") ? userinfo.slice(userinfo.indexOf(":") + 1) : userinfo;
      return [password, decoded(password)];
    }),
    ...[...text.matchAll(/[?&](?:sig|x-amz-signature|x-amz-security-token|x-goog-signature)=([^&\s]+)/gi)].flatMap(
      ([, value = ""]) => [value, decoded(value)],
    ),
  ];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // No escapes after all.
    return text;
  }
}
