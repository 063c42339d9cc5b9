#!/usr/bin/env node
import { defineObjectStore, defineVolumeSnapshotter, oneOf, text } from "@flotilla/sdk/plugin";
import type { Definition } from "@flotilla/sdk/plugin";

import { MemoryObjectStore } from "../object-store.ts";
import { MemoryVolumeSnapshotter } from "../volume-snapshotter.ts";
import { wrapMethods } from "./interpose.ts";
import { signing } from "./signing.ts";
import { authenticated } from "./authenticated.ts";
import { onDisk } from "./disk.ts";
import { withObjectMethods, withVolumeMethods } from "./variant.ts";
import type { Variant } from "./variant.ts";
import { variants } from "./variants.ts";

// The example with the fault that VARIANT names, or with none.
const name = process.env["VARIANT"] ?? "";
const variant: Partial<Variant> = variants.find((known) => known.name === name) ?? {};
const isOnDisk = name === "disk" || variant.isOnDisk === true;

variant.process?.();
if (variant.wire !== undefined) wrapMethods(variant.wire);
// Only now: `serve` takes hold of what was changed above.
const { serve } = await import("@flotilla/sdk/server");
await serve({
  name: "broken-plugin",
  version: "0.0.0",
  implementations: [
    defineObjectStore({
      name: "example.com/memory",
      config: {
        keys: {
          bucket: text("The bucket.", { required: true, origin: "server" }),
          prefix: text("What every key begins with.", { origin: "server" }),
          caCert: text("Has no effect.", { origin: "server" }),
          credentialsFile: text("Has no effect.", { origin: "server" }),
          password: text("Who asks.", { fallback: "sesame", secret: true }),
        },
      },
      open: async ({ bucket, password }, context) => {
        const memory = new MemoryObjectStore(bucket);
        const signed = withObjectMethods(memory, signing(memory, bucket));
        const store = authenticated(isOnDisk ? onDisk(memory, bucket) : signed, password);
        return await Promise.resolve(withObjectMethods(store, variant.objects?.(store, context) ?? {}));
      },
    }),
    defineVolumeSnapshotter({
      name: "example.com/memory",
      config: { keys: { region: oneOf("Where the volumes are.", ["here", "there"], { required: true }) } },
      open: async ({ region }) => {
        const snapshotter = new MemoryVolumeSnapshotter(region);
        return await Promise.resolve(withVolumeMethods(snapshotter, variant.volumes?.(snapshotter, region) ?? {}));
      },
    }),
  ].map(withConfig),
});

function withConfig(definition: Definition): Definition {
  const change = variant.config;
  if (change === undefined) return definition;
  // Spreading keeps the kind with its own open; TypeScript forgets that they belong together.
  return {
    ...definition,
    open: async (config, context) => await definition.open(change(config), context),
  } as Definition;
}
