import { cloudOf, keysOf } from "../plugin-facts/plugin-facts.ts";
import { redacted } from "./secret-patterns.ts";
import type { Redactor } from "./redactor.ts";

/** A location of either kind. */
export interface DescribedLocation {
  readonly provider: string;
  readonly kind: "ObjectStore" | "VolumeSnapshotter";
  readonly config: Readonly<Record<string, string>>;
}

/** The keys of a location as they may be shown: only what is known to be no secret, and that without URLs' passwords. */
export function describeConfig(redactor: Redactor, location: DescribedLocation): Readonly<Record<string, string>> {
  const isHidden = hiddenKeys(location);
  return Object.fromEntries(
    Object.entries(location.config).map(([name, value]) => {
      if (name === "caCert") return [name, `${value.split("-----BEGIN CERTIFICATE").length - 1} certificates`];
      return [redactor.text(name), isHidden(name) && value !== "" ? redacted : redactor.text(value)];
    }),
  );
}

/** The values of keys of which nobody can say that they hold no secret. */
export function hiddenValues(location: DescribedLocation): readonly string[] {
  const isHidden = hiddenKeys(location);
  return Object.entries(location.config)
    .filter(([name, { length }]) => isHidden(name) && length >= leastLength)
    .map(([, value]) => value);
}

// Shorter values, such as true, are parts of words.
const leastLength = 8;

/** What the server adds is known for every provider. */
const serverKeys: ReadonlySet<string> = new Set(["bucket", "prefix", "caCert", "credentialsFile"]);

function hiddenKeys({ provider, kind }: DescribedLocation): (name: string) => boolean {
  const cloud = cloudOf(provider);
  const known = cloud === undefined ? {} : keysOf(cloud, kind);
  return (name) => {
    if (serverKeys.has(name)) return false;
    const facts = known[name];
    return facts === undefined || facts.isSecret || name.endsWith("Command");
  };
}

/** Whether variables of the environment are shown, by name: those that say how clouds are reached, and no secret. */
const shownVariables =
  /^(AWS_(REGION|DEFAULT_REGION|PROFILE|ENDPOINT_URL(_\w+)?|CA_BUNDLE|MAX_ATTEMPTS|RETRY_MODE|USE_\w+|CLUSTER_NAME|SHARED_CREDENTIALS_FILE|CONFIG_FILE|WEB_IDENTITY_TOKEN_FILE|ROLE_ARN|EC2_METADATA_DISABLED)|AZURE_(CLOUD_NAME|AUTHORITY_HOST|CREDENTIALS_FILE|FEDERATED_TOKEN_FILE|RESOURCE_GROUP)|GOOGLE_(APPLICATION_CREDENTIALS|CLOUD_PROJECT|CLOUD_QUOTA_PROJECT|CLOUD_UNIVERSE_DOMAIN)|GCE_METADATA_HOST|STORAGE_EMULATOR_HOST|CLOUDSDK_API_ENDPOINT_\w+|(HTTPS?|NO|ALL)_PROXY|SSL_CERT_(FILE|DIR)|NODE_EXTRA_CA_CERTS|VELERO_(NAMESPACE|SCRATCH_DIR)|FLOTILLA_\w+|LANG|LC_\w+|TZ|TMPDIR|HOSTNAME|KUBERNETES_SERVICE_HOST)$/i;

/** The environment: some variables with their values, of all others that they are set. */
export function describeEnvironment(
  redactor: Redactor,
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value = ""]) => [
        redactor.text(name),
        shownVariables.test(name) ? redactor.text(value) : "(set, not shown)",
      ]),
  );
}
