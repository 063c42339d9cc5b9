import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";

import { blockIds, collect, readAll, sasUrl } from "../probes/azure-blob/context.ts";
import { failureOf } from "../probes/probe.ts";
import { startProbed } from "./probed-stand-in.ts";
import type { ProbedOptions } from "./probed-stand-in.ts";

const minute = 60_000;
const forever = 60 * minute;

/** Options of a stand-in where copies and rehydrations end when the test turns the clock on. */
function withClock(): { readonly turnOn: () => void; readonly options: ProbedOptions } {
  let shift = 0;
  return {
    // Less than a quarter of an hour: the stand-in refuses clients whose clock differs more.
    turnOn: () => {
      shift = 10 * minute;
    },
    options: { copyMs: 5 * minute, rehydrateMs: 5 * minute, now: () => new Date(Date.now() + shift) },
  };
}

describe("copies of the Azure Blob stand-in", { concurrency: true }, () => {
  test("a copy is pending, without bytes, until its time has come", async () => {
    const { turnOn, options } = withClock();
    await using standIn = await startProbed(options);
    const { context } = standIn;
    const source = await context.put("bytes", { metadata: { a: "1" } });
    const target = await context.blob();
    const poller = await target.beginCopyFromURL(source.url, { intervalInMs: 20 });

    const pending = await target.getProperties();
    turnOn();
    await poller.pollUntilDone();
    const done = await target.getProperties();

    assert.deepEqual(
      [pending.copyStatus, pending.copyProgress, pending.contentLength, pending.metadata],
      ["pending", "0/5", 0, { a: "1" }],
    );
    assert.deepEqual([done.copyStatus, done.copyProgress, done.contentLength], ["success", "5/5", 5]);
    assert.notEqual(done.etag, pending.etag);
    assert.equal(await readAll(target), "bytes");
  });

  test("a listing tells of a copy when asked for, and ends it when its time has come", async () => {
    const { turnOn, options } = withClock();
    await using standIn = await startProbed(options);
    const { context } = standIn;
    const source = await context.put("bytes");
    const container = await context.newContainer();
    await container.getBlockBlobClient("copied").beginCopyFromURL(source.url);

    const [pending] = await collect(container.listBlobsFlat({ includeCopy: true }));
    turnOn();
    const [done] = await collect(container.listBlobsFlat({ includeCopy: true }));

    assert.deepEqual([pending?.properties.copyStatus, done?.properties.copyStatus], ["pending", "success"]);
    assert.equal(done?.properties.contentLength, 5);
  });

  test("an aborted copy leaves an empty blob with its metadata", async () => {
    await using standIn = await startProbed({ copyMs: forever });
    const { context } = standIn;
    const source = await context.put("bytes", { metadata: { a: "1" } });
    const target = await context.blob();
    await target.beginCopyFromURL(source.url);
    const { copyId = "" } = await target.getProperties();

    assert.equal((await failureOf(target.abortCopyFromURL("another"))).code, "CopyIdMismatch");
    await target.abortCopyFromURL(copyId);
    const found = await target.getProperties();

    assert.deepEqual([found.copyStatus, found.contentLength, found.metadata], ["aborted", 0, { a: "1" }]);
    assert.equal((await failureOf(target.abortCopyFromURL(copyId))).code, "NoPendingCopyOperation");
  });

  test("nothing else is written to a blob while a copy is pending", async () => {
    await using standIn = await startProbed({ copyMs: forever });
    const { context } = standIn;
    const source = await context.put("bytes");
    const target = await context.blob();
    await target.beginCopyFromURL(source.url);

    const attempts = [
      target.upload("x", 1),
      target.stageBlock(blockIds(1)[0] ?? "", "x", 1),
      target.beginCopyFromURL(source.url),
      target.delete(),
    ];
    const failures = await Promise.all(attempts.map(failureOf));

    for (const { code } of failures) assert.equal(code, "PendingCopyOperation");
  });

  test("a block is staged from a server elsewhere", async (t) => {
    const server = createServer((request, response) => {
      const isAllowed = request.headers.authorization === "Bearer foreign";
      const answer = isAllowed ? `got ${request.headers.range ?? ""}` : "no";
      response.writeHead(isAllowed ? 206 : 403, { "content-length": answer.length }).end(answer);
    });
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    // A listening TCP server has an address of this form; null and strings belong to closed servers and pipes.
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/object`;
    await using standIn = await startProbed();
    const target = await standIn.context.blob();
    const [id = ""] = blockIds(1);

    const refused = await failureOf(target.stageBlockFromURL(id, url, 0, 5));
    await target.stageBlockFromURL(id, url, 0, 5, { sourceAuthorization: { scheme: "Bearer", value: "foreign" } });
    await target.commitBlockList([id]);

    assert.deepEqual(refused, { code: "CannotVerifyCopySource", status: 403 });
    assert.equal(await readAll(target), "got bytes=0-4");
  });

  test("only Copy Blob reads its own account without a signature", async () => {
    await using standIn = await startProbed();
    const source = await standIn.context.put("bytes");
    const target = await standIn.context.blob();

    const failure = await failureOf(target.syncCopyFromURL(source.url));

    assert.deepEqual(failure, { code: "CannotVerifyCopySource", status: 401 });
  });

  test("a signature that may not read is not enough for a source", async () => {
    await using standIn = await startProbed();
    const source = await standIn.context.put("bytes");
    const target = await standIn.context.blob();

    const failure = await failureOf(target.syncCopyFromURL(await sasUrl(source, "w")));

    assert.deepEqual(failure, { code: "CannotVerifyCopySource", status: 403 });
  });

  test("a synchronous copy takes tags along only when told so", async () => {
    await using standIn = await startProbed();
    const source = await sasUrl(await standIn.context.put("bytes", { tags: { a: "1" } }), "rt");
    const [plain, full] = [await standIn.context.blob(), await standIn.context.blob()];

    await plain.syncCopyFromURL(source);
    await full.syncCopyFromURL(source, { copySourceTags: "COPY" });

    assert.deepEqual([(await plain.getTags()).tags, (await full.getTags()).tags], [{}, { a: "1" }]);
  });

  test("an archived blob comes back after its time and is not read before", async () => {
    const { turnOn, options } = withClock();
    await using standIn = await startProbed(options);
    const blob = await standIn.context.put("bytes", { tier: "Archive" });

    await blob.setAccessTier("Hot");
    const { archiveStatus } = await blob.getProperties();
    const early = await failureOf(blob.download());
    turnOn();

    assert.deepEqual([archiveStatus, early.code], ["rehydrate-pending-to-hot", "BlobArchived"]);
    assert.equal(await readAll(blob), "bytes");
  });
});
