#!/usr/bin/env node
import { defineObjectStore, defineVolumeSnapshotter, oneOf, text } from "@flotilla/sdk/plugin";
import { serve } from "@flotilla/sdk/server";

import { MemoryObjectStore } from "./object-store.ts";
import { MemoryVolumeSnapshotter } from "./volume-snapshotter.ts";

// Everything ends with the process: made to be read and to be tested, not to keep backups.
await serve({
  name: "memory-plugin",
  version: "0.0.0",
  implementations: [
    defineObjectStore({
      name: "example.com/memory",
      config: {
        keys: {
          bucket: text("The bucket.", { required: true, origin: "server" }),
          prefix: text("What every key begins with.", { origin: "server" }),
          caCert: text("Has no effect.", { origin: "server" }),
        },
      },
      open: async ({ bucket }) => await Promise.resolve(new MemoryObjectStore(bucket)),
    }),
    defineVolumeSnapshotter({
      name: "example.com/memory",
      config: { keys: { region: oneOf("Where the volumes are.", ["here", "there"], { required: true }) } },
      open: async ({ region }) => await Promise.resolve(new MemoryVolumeSnapshotter(region)),
    }),
  ],
});
