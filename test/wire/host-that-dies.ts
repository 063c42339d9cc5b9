import { setTimeout as delay } from "node:timers/promises";

import { Manager, Registry } from "@flotilla/host";

import { bytesOf, inChunks, mebibyte } from "./bytes.ts";

// A host in a process of its own, for the test that kills it: it opens the location given as JSON, begins a put that
// never ends, and prints the id of its plugin process.

const [command = "", config = "{}"] = process.argv.slice(2);
const registry = new Registry();
registry.register({ command, kind: "ObjectStore", name: "velero.io/aws" });
const manager = new Manager(registry, { env: process.env });
const store = manager.getObjectStore("velero.io/aws");
// Written by the test that starts this.
const location = JSON.parse(config) as Record<string, string>;
await store.init(location);
process.stdout.write(`${manager.pids[0]}\n`);
await store.putObject({ bucket: location["bucket"] ?? "", key: "contents" }, endless());

async function* endless(): AsyncGenerator<Uint8Array> {
  yield* inChunks(bytesOf(12 * mebibyte, "a host that dies"));
  await delay(600_000);
}
