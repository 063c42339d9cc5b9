import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import type { BlockBlobClient } from "@azure/storage-blob";

import { collect, md5Of, readAll, sasUrl } from "../probes/azure-blob/context.ts";
import { failureOf } from "../probes/probe.ts";
import { startProbed } from "./probed-stand-in.ts";

const standIn = await startProbed();
const { context, blob: server } = standIn;
after(() => standIn[Symbol.asyncDispose]());

const body = randomBytes(200_000);

async function fetchBytes(blob: BlockBlobClient): Promise<{ bytes: Buffer; md5: string | null }> {
  const response = await fetch(await sasUrl(blob, "r"), { headers: { connection: "close" } });
  return { bytes: Buffer.from(await response.arrayBuffer()), md5: response.headers.get("content-md5") };
}

describe("faults of the Azure Blob stand-in", { concurrency: true }, () => {
  test("an error meets as many matching requests as were asked for, and no other", async () => {
    const blob = await context.put(body);
    const error = { kind: "error", status: 503, code: "ServerBusy" } as const;
    const fault = server.faults.add(error, { key: blob.name, operation: "GetBlob" }, { times: 2, skip: 1 });

    const outcomes: string[] = [];
    for (let i = 0; i < 4; i += 1) {
      outcomes.push((await fetch(await sasUrl(blob, "r"))).headers.get("x-ms-error-code") ?? "ok");
    }

    assert.deepEqual(outcomes, ["ok", "ServerBusy", "ServerBusy", "ok"]);
    assert.equal(fault.hits, 2);
  });

  test("a put whose connection is cut leaves nothing", async () => {
    const blob = await context.blob();
    server.faults.add({ kind: "cut-request", afterBytes: 50_000 }, { key: blob.name, operation: "PutBlob" });

    await assert.rejects(blob.upload(body, body.length));

    assert.equal(await blob.exists(), false);
  });

  test("a put whose answer is lost is stored", async () => {
    const blob = await context.blob();
    server.faults.add({ kind: "lose-response" }, { key: blob.name, method: "PUT" });

    await assert.rejects(blob.upload("bytes", 5));

    assert.equal(await readAll(blob), "bytes");
  });

  test("an answer is cut after its bytes", async () => {
    const blob = await context.put(body);
    server.faults.add({ kind: "cut-response", afterBytes: 1000 }, { key: blob.name });

    await assert.rejects(fetchBytes(blob));
  });

  test("one byte of an answer is changed, and its MD5 shows it", async () => {
    const blob = await context.put(body);
    server.faults.add({ kind: "corrupt-response", atByte: 150_000 }, { key: blob.name });

    const { bytes, md5 } = await fetchBytes(blob);

    assert.equal(bytes.filter((byte, index) => byte !== body[index]).length, 1);
    assert.equal(md5, md5Of(body).toString("base64"));
  });

  test("an MD5 in an answer is that of other bytes", async () => {
    const blob = await context.put(body);
    server.faults.add({ kind: "lie-checksum" }, { key: blob.name });

    const { bytes, md5 } = await fetchBytes(blob);

    assert.deepEqual(bytes, body);
    assert.notEqual(md5, md5Of(body).toString("base64"));
  });

  test("an MD5 in a listing is that of other bytes", async () => {
    const container = await context.newContainer();
    await container.getBlockBlobClient("x").upload(body, body.length);
    server.faults.add({ kind: "lie-checksum" }, { bucket: container.containerName });

    const [entry] = await collect(container.listBlobsFlat());

    assert.notDeepEqual(Buffer.from(entry?.properties.contentMD5 ?? []), md5Of(body));
  });

  test("a delay holds the request back", async () => {
    const blob = await context.put(body);
    server.faults.add({ kind: "delay", ms: 120 }, { key: blob.name });
    const started = performance.now();

    await blob.getProperties();

    assert.ok(performance.now() - started >= 115);
  });

  for (const kind of ["stall-request", "stall-response"] as const) {
    test(`a ${kind} ends only with the connection`, async () => {
      await using own = await startProbed();
      const blob = await own.context.put(body);
      const match = { key: blob.name, operation: ["PutBlob", "GetBlob"] };
      const fault = own.blob.faults.add({ kind, afterBytes: 10 }, match);
      const request = kind === "stall-request" ? blob.upload(body, body.length) : blob.downloadToBuffer();
      const outcome = request.then(
        () => "ended well",
        () => "failed",
      );

      while (fault.hits === 0) await delay(5);
      const early = await Promise.race([outcome, delay(200, "waiting")]);
      await own.blob.close();

      assert.deepEqual([early, await outcome], ["waiting", "failed"]);
    });
  }

  test("the log tells of every request with its status", async () => {
    const blob = await context.put("x");
    await failureOf(blob.download(5, 1));

    const entries = server.log.entries().filter(({ key }) => key === blob.name);

    assert.deepEqual(
      entries.map(({ operation, status }) => [operation, status]),
      [
        ["PutBlob", 201],
        ["GetBlob", 416],
      ],
    );
  });
});
