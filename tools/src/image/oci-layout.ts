import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Platform } from "../platform.ts";
import type { Blob, Layer } from "./layer.ts";

// The OCI image specification 1.1 (opencontainers/image-spec): image-layout.md, index, manifest, config.
const mediaTypes = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
} as const;

const architectures: Readonly<Record<Platform, string>> = { "linux-x64": "amd64", "linux-arm64": "arm64" };

/** The user that runs in our images, as in the official ones: nobody's. */
const imageUser = "65532:65532";

/** How a container of the image starts. */
export interface ImageStart {
  readonly entrypoint: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Where the blobs of an image layout lie. */
export function blobFolder(layout: string): string {
  const folder = join(layout, "blobs", "sha256");
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Writes the configuration and the manifest of one platform's image, and answers how an index refers to it. */
export function writeManifest(
  layout: string,
  platform: Platform,
  layers: readonly Layer[],
  start: ImageStart,
): ManifestDescriptor {
  const config = writeBlob(layout, {
    // An image of no time: the same contents give the same digest.
    created: new Date(0).toISOString(),
    architecture: architectures[platform],
    os: "linux",
    config: {
      User: imageUser,
      Entrypoint: start.entrypoint,
      Env: ["PATH=/usr/bin:/plugins", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"],
      Labels: start.labels,
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(() => ({ created: new Date(0).toISOString(), created_by: "flotilla image" })),
  });
  const manifest = writeBlob(layout, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, ...config },
    layers: layers.map(({ digest, size }) => ({ mediaType: mediaTypes.layer, digest, size })),
    annotations: start.labels,
  });
  return {
    mediaType: mediaTypes.manifest,
    ...manifest,
    platform: { architecture: architectures[platform], os: "linux" },
  };
}

/** One platform's image, as an index refers to it. */
export interface ManifestDescriptor extends Blob {
  readonly mediaType: string;
  readonly platform: { readonly architecture: string; readonly os: string };
}

/**
 * Writes the index of all platforms and makes the folder a layout: its one image is that index, under the tag. Answers
 * the index's digest, which is the image's name in a registry.
 */
export function writeIndex(
  layout: string,
  manifests: readonly ManifestDescriptor[],
  start: ImageStart,
  tag: string,
): Blob {
  const index = writeBlob(layout, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests,
    annotations: start.labels,
  });
  const entry = {
    mediaType: mediaTypes.index,
    ...index,
    annotations: { "org.opencontainers.image.ref.name": tag },
  };
  writeFileSync(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  writeFileSync(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  return index;
}

function writeBlob(layout: string, content: object): Blob {
  const bytes = Buffer.from(JSON.stringify(content));
  const digest = createHash("sha256").update(bytes).digest("hex");
  writeFileSync(join(blobFolder(layout), digest), bytes);
  return { digest: `sha256:${digest}`, size: bytes.length };
}
