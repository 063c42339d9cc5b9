import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { describe, test } from "node:test";

import { AccountSASPermissions, generateAccountSASQueryParameters } from "@azure/storage-blob";
import type { BlockBlobClient } from "@azure/storage-blob";

import { blockIds, crc64Of, get, md5Of, readAll, sasUrl } from "../probes/azure-blob/context.ts";
import { failureOf } from "../probes/probe.ts";
import { startProbed } from "./probed-stand-in.ts";

const day = 24 * 3_600_000;
const mib = 1024 ** 2;

async function announce(
  blob: BlockBlobClient,
  version: string,
  bytes: number,
): Promise<readonly [number, string | null]> {
  const url = `${await sasUrl(blob, "w")}&comp=block&blockid=AAAA`;
  // The refusal comes before the body; what is announced is never sent whole.
  return await new Promise((resolve, reject) => {
    const sent = request(url, { method: "PUT", headers: { "content-length": bytes, "x-ms-version": version } });
    sent.once("error", reject);
    sent.once("response", (response) => {
      const code = response.headers["x-ms-error-code"];
      resolve([response.statusCode ?? 0, typeof code === "string" ? code : null]);
      sent.destroy();
      sent.on("error", () => {});
    });
    sent.flushHeaders();
  });
}

describe("blocks of the Azure Blob stand-in", { concurrency: true }, () => {
  test("the largest block depends on the API version", async () => {
    await using standIn = await startProbed();
    const blob = await standIn.context.blob();

    assert.deepEqual(await announce(blob, "2024-11-04", 4000 * mib + 1), [413, "RequestBodyTooLarge"]);
    assert.deepEqual(await announce(blob, "2018-11-09", 100 * mib + 1), [413, "RequestBodyTooLarge"]);
    assert.deepEqual(await announce(blob, "2015-04-05", 4 * mib + 1), [413, "RequestBodyTooLarge"]);
  });

  test("blocks in the order of their list become the blob's file without a copy, others with one", async () => {
    await using standIn = await startProbed();
    const { context, blob: server } = standIn;
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
    ]) {
      const blob = await context.blob();
      const ids = blockIds(3);
      const parts = ids.map(() => randomBytes(1000));
      for (const i of order) await blob.stageBlock(ids[i] ?? "", parts[i] ?? "", 1000);

      await blob.commitBlockList(ids);

      const file = server.blobFile(context.target.main.name, blob.containerName, blob.name);
      assert.deepEqual(await readFile(file), Buffer.concat(parts));
    }
  });

  test("a block that arrives after a commit waits for the next one", async () => {
    await using standIn = await startProbed();
    const { context, blob: server } = standIn;
    const blob = await context.blob();
    const [first = "", late = ""] = blockIds(2);
    await blob.stageBlock(first, "first", 5);
    // Longer than a busy machine needs for the commit.
    server.faults.add({ kind: "delay", ms: 2500 }, { where: ({ query }) => query.get("blockid") === late });
    const staging = blob.stageBlock(late, "late", 4);

    await blob.commitBlockList([first]);
    await staging;

    assert.equal(await readAll(blob), "first");
    await blob.commitBlockList([first, late]);
    assert.equal(await readAll(blob), "firstlate");
  });

  test("two writers that use ids of their own do not disturb each other", async () => {
    await using standIn = await startProbed();
    const blob = await standIn.context.blob();
    const [a, b] = [blockIds(4), blockIds(4)];
    await Promise.all([...a, ...b].map((id) => blob.stageBlock(id, a.includes(id) ? "a" : "b", 1)));

    await blob.commitBlockList(b);

    assert.equal(await readAll(blob), "bbbb");
    assert.equal((await failureOf(blob.commitBlockList(a))).code, "InvalidBlockList");
  });

  test("blocks are forgotten a week after the last one", async () => {
    let shift = -8 * day;
    await using standIn = await startProbed({ now: () => new Date(Date.now() + shift) });
    // Signed for a long time, as the two requests lie days apart for the server.
    const { context } = standIn;
    const { name } = context.target.main;
    const sas = generateAccountSASQueryParameters(
      {
        permissions: AccountSASPermissions.parse("rwlc"),
        services: "b",
        resourceTypes: "sco",
        expiresOn: new Date(Date.now() + day),
      },
      context.credential,
    );
    const container = `${context.target.endpoint}/${name}/weekly`;
    const ask = async (path: string, init: RequestInit = {}): Promise<string> =>
      await (await fetch(`${container}${path}&${sas.toString()}`, init)).text();
    await ask("?restype=container", { method: "PUT" });
    await ask("/x?comp=block&blockid=AAAA", { method: "PUT", body: "x" });

    const before = await ask("?restype=container&comp=list&include=uncommittedblobs");
    shift = 0;
    const after = await ask("?restype=container&comp=list&include=uncommittedblobs");

    assert.match(before, /<Name>x<\/Name>/);
    assert.match(after, /<Blobs><\/Blobs>/);
  });

  test("a block whose connection is cut is not there", async () => {
    await using standIn = await startProbed();
    const { context, blob: server } = standIn;
    const blob = await context.blob();
    const ids = blockIds(1);
    server.faults.add({ kind: "cut-request", afterBytes: 1000 }, { key: blob.name });

    await assert.rejects(blob.stageBlock(ids[0] ?? "", randomBytes(500_000), 500_000));

    assert.equal((await failureOf(blob.commitBlockList(ids))).code, "InvalidBlockList");
  });

  test("the checksums of a block list are checked as well", async () => {
    await using standIn = await startProbed();
    const blob = await standIn.context.blob();

    const url = `${await sasUrl(blob, "w")}&comp=blocklist`;
    const send = (headers: Record<string, string>): ReturnType<typeof get> =>
      get(url, { method: "PUT", body: "<BlockList></BlockList>", headers });

    assert.deepEqual(await send({ "content-md5": md5Of("other").toString("base64") }), [400, "Md5Mismatch"]);
    assert.deepEqual(await send({ "x-ms-content-crc64": crc64Of("other").toString("base64") }), [400, "Crc64Mismatch"]);
    assert.equal(await blob.exists(), false);
  });

  test("a structured message is refused instead of being stored with its framing", async () => {
    await using standIn = await startProbed();
    const blob = await standIn.context.blob();

    const answer = await get(await sasUrl(blob, "cw"), {
      method: "PUT",
      body: "framed",
      headers: {
        "x-ms-blob-type": "BlockBlob",
        "x-ms-structured-body": "XSM/1.0; properties=crc64",
        "x-ms-structured-content-length": "6",
      },
    });

    assert.deepEqual(answer, [400, "UnsupportedHeader"]);
  });

  test("page and append blobs are not there, and say so", async () => {
    await using standIn = await startProbed();
    const { context } = standIn;
    const container = await context.container();

    const create = container.getAppendBlobClient(context.name()).create();

    assert.deepEqual(await failureOf(create), { code: "NotImplemented", status: 501 });
  });
});
