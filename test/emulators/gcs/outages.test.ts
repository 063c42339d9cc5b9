import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { GoogleTokens } from "../google-identity/tokens.ts";
import { GcsContext, hashesOf, jsonOf } from "../probes/gcs/context.ts";
import { startGcs } from "./start-gcs.ts";

const stateDir = await mkdtemp(join(tmpdir(), "gcs-outages-"));
const tokens = new GoogleTokens();
const buckets = [
  { name: "west", location: "US-WEST1" },
  { name: "east", location: "US-EAST1" },
  { name: "north", location: "EUROPE-NORTH1" },
  { name: "home" },
];
const gcs = await startGcs({ stateDir, tokens, buckets });
const context = new GcsContext({ endpoint: gcs.url, projectId: "flotilla", token: tokens.issue("test@x") });
after(async () => {
  gcs.faults.clear();
  await gcs.close();
  await rm(stateDir, { recursive: true });
});

const body = Buffer.from("some bytes");

async function put(bucket: string): Promise<string> {
  const name = context.name();
  await context.send("POST", `/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${name}`, { body });
  return name;
}

const read = async (bucket: string, name: string): ReturnType<GcsContext["send"]> =>
  await context.send("GET", `/storage/v1/b/${bucket}/o/${name}?alt=media`);

const rewrite = async (from: string, name: string, to: string): ReturnType<GcsContext["send"]> =>
  await context.send("POST", `/storage/v1/b/${from}/o/${name}/rewriteTo/b/${to}/o/${name}`);

describe("lost locations and copies of the GCS stand-in", () => {
  test("a lost location refuses everything until it is back, and others do not notice", async () => {
    const name = await put("west");
    const elsewhere = await put("home");

    gcs.loseRegion("us-west1");
    const refused = await read("west", name);
    const served = await read("home", elsewhere);
    gcs.restoreRegion("us-west1");

    assert.deepEqual([refused.status, served.status, (await read("west", name)).status], [503, 200, 200]);
  });

  test("a lost location can be silent, or cut every connection", async () => {
    const name = await put("east");
    const url = `${gcs.url}/storage/v1/b/east/o/${name}`;

    gcs.loseRegion("US-EAST1", "hangs");
    const silent = await fetch(url, { signal: AbortSignal.timeout(300) }).catch((error: unknown) => error);
    gcs.loseRegion("US-EAST1", "closes");
    const cut = await fetch(url, { signal: AbortSignal.timeout(30_000) }).catch((error: unknown) => error);

    assert.ok(silent instanceof Error && silent.name === "TimeoutError");
    assert.ok(cut instanceof TypeError && cut.message === "fetch failed");
  });

  test("nothing is rewritten from or into a lost location", async () => {
    const [there, here] = [await put("north"), await put("home")];

    gcs.loseRegion("EUROPE-NORTH1");

    assert.equal((await rewrite("north", there, "home")).status, 503);
    assert.equal((await rewrite("home", here, "north")).status, 503);
    gcs.restoreRegion("EUROPE-NORTH1");
  });

  test("a byte that changes on its way is stored with the hashes of what is stored", async () => {
    const name = await put("home");
    gcs.faults.add({ kind: "corrupt-copy", atByte: 2 }, { operation: "RewriteObject", key: name });

    const answer = jsonOf(await rewrite("home", name, "west"));

    const stored = (await read("west", name)).body;
    assert.equal(stored.equals(body), false);
    assert.ok(JSON.stringify(answer["resource"]).includes(hashesOf(stored).crc32c));
  });
});
