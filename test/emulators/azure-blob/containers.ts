import { compareKeys } from "../key-order.ts";
import { document, element, leaf } from "../xml.ts";
import { BlobError } from "./blob-error.ts";
import { httpDate } from "./blob-settings.ts";
import { containerOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import type { Container, ContainerConfig } from "./container.ts";
import { checkScope } from "./encryption.ts";
import { decodeMarker, encodeMarker, readPageSize } from "./list-page.ts";
import { metadataHeaders, readMetadata } from "./metadata.ts";
import { newEtag } from "./state.ts";

/** Create Container. */
export function createContainer(call: Call): Answer {
  const name = call.containerName ?? "";
  if (call.state.findContainer(call.account, name) !== undefined) throw new BlobError("ContainerAlreadyExists");
  if (call.headers.has("x-ms-blob-public-access")) {
    throw new BlobError("UnsupportedHeader", { HeaderName: "x-ms-blob-public-access" });
  }
  const defaultScope = call.headers.get("x-ms-default-encryption-scope");
  const denies = call.headers.get("x-ms-deny-encryption-scope-override");
  if ((defaultScope === undefined) !== (denies === undefined)) {
    throw new BlobError("MissingRequiredHeader", {
      HeaderName: "x-ms-default-encryption-scope and x-ms-deny-encryption-scope-override are required together",
    });
  }
  if (defaultScope !== undefined) checkScope(call, defaultScope);
  const config: ContainerConfig = {
    name,
    etag: newEtag(),
    lastModified: call.now.toISOString(),
    metadata: readMetadata(call.request),
    // Turned on by Azure Resource Manager only; a test says it when it starts the stand-in.
    isImmutable: false,
    defaultScope,
    deniesOtherScopes: denies?.toLowerCase() === "true",
  };
  call.state.createContainer(call.account, config);
  return { status: 201, headers: { etag: config.etag, "last-modified": httpDate(config.lastModified) } };
}

/** Delete Container. */
export function deleteContainer(call: Call): Answer {
  const container = containerOf(call);
  const blobs = container.blobs.keys().flatMap((name) => container.blobs.versions(name));
  const isProtected = blobs.some(
    (meta) =>
      meta.hasLegalHold === true ||
      (meta.immutability !== undefined && Date.parse(meta.immutability.until) > call.now.getTime()),
  );
  if (isProtected) throw new BlobError("BlobImmutableDueToPolicy");
  call.state.deleteContainer(call.account, container);
  return { status: 202 };
}

/** Get Container Properties. */
export function getContainerProperties(call: Call): Answer {
  const { config } = containerOf(call);
  return {
    headers: {
      etag: config.etag,
      "last-modified": httpDate(config.lastModified),
      "x-ms-lease-state": "available",
      "x-ms-lease-status": "unlocked",
      "x-ms-has-immutability-policy": "false",
      "x-ms-has-legal-hold": "false",
      "x-ms-immutable-storage-with-versioning-enabled": String(config.isImmutable),
      "x-ms-default-encryption-scope": config.defaultScope ?? "$account-encryption-key",
      "x-ms-deny-encryption-scope-override": String(config.deniesOtherScopes ?? false),
      ...metadataHeaders(config.metadata),
    },
  };
}

/** List Containers. */
export function listContainers(call: Call): Answer {
  const prefix = call.query.get("prefix") ?? "";
  const marker = call.query.get("marker");
  const pageSize = readPageSize(call);
  const after = marker === undefined || marker === "" ? "" : decodeMarker(marker);
  const rest = call.state
    .containers(call.account)
    .filter(({ config }) => config.name.startsWith(prefix) && config.name > after)
    .sort((a, b) => compareKeys(a.config.name, b.config.name));
  const page = rest.slice(0, pageSize);
  const last = page.at(-1)?.config.name;
  const withMetadata = (call.query.get("include") ?? "").split(",").includes("metadata");
  return {
    body: document(
      element(
        "EnumerationResults",
        [
          leaf("Prefix", call.query.get("prefix")),
          leaf("Marker", marker),
          leaf("MaxResults", call.query.get("maxresults")),
          element(
            "Containers",
            page.map((container) => writeContainer(container, withMetadata)),
          ),
          leaf("NextMarker", rest.length > page.length && last !== undefined ? encodeMarker(last) : ""),
        ],
        ` ServiceEndpoint="${call.endpoint}"`,
      ),
    ),
  };
}

function writeContainer({ config }: Container, withMetadata: boolean): string {
  const metadata = Object.entries(config.metadata).map(([name, value]) => leaf(name, value));
  return element("Container", [
    leaf("Name", config.name),
    element("Properties", [
      leaf("Last-Modified", httpDate(config.lastModified)),
      leaf("Etag", config.etag),
      leaf("LeaseStatus", "unlocked"),
      leaf("LeaseState", "available"),
      leaf("DefaultEncryptionScope", config.defaultScope ?? "$account-encryption-key"),
      leaf("DenyEncryptionScopeOverride", config.deniesOtherScopes ?? false),
      leaf("HasImmutabilityPolicy", false),
      leaf("HasLegalHold", false),
      leaf("ImmutableStorageWithVersioningEnabled", config.isImmutable),
    ]),
    ...(withMetadata ? [element("Metadata", metadata)] : []),
  ]);
}
