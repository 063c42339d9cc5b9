import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { blockIds, md5Of, readAll, sasUrl } from "../probes/azure-blob/context.ts";
import { failureOf } from "../probes/probe.ts";
import { startProbed } from "./probed-stand-in.ts";

const region = "northeurope";
const inRegion = { main: { region } };

describe("lost regions and copies of the Azure Blob stand-in", { concurrency: true }, () => {
  test("a lost region refuses everything until it is back, and other regions do not notice", async () => {
    await using standIn = await startProbed(inRegion);
    const { blob: server, context } = standIn;
    const blob = await context.put("bytes");

    server.loseRegion("eastus");
    assert.equal(await readAll(blob), "bytes");
    server.loseRegion(region);
    const response = await fetch(await sasUrl(blob, "r"));
    server.restoreRegion(region);

    assert.deepEqual([response.status, response.headers.get("x-ms-error-code")], [503, "ServerBusy"]);
    assert.equal(await readAll(blob), "bytes");
  });

  test("a lost region can be silent, or cut every connection", async () => {
    await using standIn = await startProbed(inRegion);
    const { blob: server, context } = standIn;
    const url = await sasUrl(await context.put("bytes"), "r");

    server.loseRegion(region, "hangs");
    const silent = await fetch(url, { signal: AbortSignal.timeout(300) }).catch((error: unknown) => error);
    server.loseRegion(region, "closes");
    const cut = await fetch(url, { signal: AbortSignal.timeout(30_000) }).catch((error: unknown) => error);

    assert.ok(silent instanceof Error && silent.name === "TimeoutError");
    assert.ok(cut instanceof TypeError && cut.message === "fetch failed");
  });

  test("nothing is copied from a lost region", async () => {
    await using standIn = await startProbed(inRegion);
    const { blob: server, context } = standIn;
    const source = await sasUrl(await context.put("bytes"), "r");
    const target = (await context.otherContainer()).getBlockBlobClient("copy");

    server.loseRegion(region);
    const [id = ""] = blockIds(1);
    const failures = [
      await failureOf(target.stageBlockFromURL(id, source)),
      await failureOf(target.syncUploadFromURL(source)),
    ];

    for (const failure of failures) assert.deepEqual(failure, { code: "CannotVerifyCopySource", status: 500 });
  });

  test("a byte that changes on its way is stored, unless the request has the MD5 of the source", async () => {
    await using standIn = await startProbed();
    const { blob: server, context } = standIn;
    const source = await sasUrl(await context.put("bytes"), "r");
    const target = await context.blob();
    const sourceContentMD5 = md5Of(Buffer.from("bytes"));
    server.faults.add({ kind: "corrupt-copy", atByte: 0 }, { operation: "PutBlobFromUrl" }, { times: 2 });

    const failure = await failureOf(target.syncUploadFromURL(source, { sourceContentMD5 }));
    assert.equal(failure.code, "Md5Mismatch");
    assert.equal(await target.exists(), false);
    await target.syncUploadFromURL(source);

    assert.equal(await readAll(target), "cytes");
    const { contentMD5 = Buffer.alloc(0) } = await target.getProperties();
    assert.deepEqual(Buffer.from(contentMD5), md5Of(Buffer.from("cytes")));
  });

  test("a source's URL has at most two kibibytes", async () => {
    await using standIn = await startProbed();
    const source = await sasUrl(await standIn.context.put("bytes"), "r");
    const target = await standIn.context.blob();

    const failure = await failureOf(target.syncUploadFromURL(`${source}&x=${"y".repeat(2048)}`));

    assert.equal(failure.code, "InvalidHeaderValue");
  });
});
