import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { until } from "../../wire/until.ts";
import { GoogleTokens } from "../google-identity/tokens.ts";
import { GcsContext, hashesOf, jsonOf } from "../probes/gcs/context.ts";
import { startGcs } from "./start-gcs.ts";

const quantum = 256 * 1024;
const bucket = "faults";
const stateDir = await mkdtemp(join(tmpdir(), "gcs-faults-"));
const tokens = new GoogleTokens();
const gcs = await startGcs({ stateDir, tokens, buckets: [bucket] });
const context = new GcsContext({ endpoint: gcs.url, projectId: "flotilla", token: tokens.issue("test@x") });
after(async () => {
  gcs.faults.clear();
  await gcs.close();
  await rm(stateDir, { recursive: true });
});

const body = randomBytes(200_000);

async function stored(bytes: Buffer = body): Promise<string> {
  const name = context.name();
  const path = `/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${name}`;
  assert.equal((await context.send("POST", path, { body: bytes })).status, 200);
  return name;
}

async function read(
  name: string,
): Promise<{ readonly status: number; readonly body: Buffer; readonly headers: Headers }> {
  return await context.send("GET", `/storage/v1/b/${bucket}/o/${name}?alt=media`);
}

describe("faults of the GCS stand-in", { concurrency: true }, () => {
  test("503 meets as many requests as were asked for, with its body and its header", async () => {
    const name = await stored();
    const fault = { kind: "error", status: 503, code: "backendError", headers: { "retry-after": "0" } } as const;
    const handle = gcs.faults.add(fault, { key: name, operation: "GetObject" }, { times: 2 });

    const answers = [];
    for (let i = 0; i < 3; i += 1) answers.push(await context.send("GET", `/storage/v1/b/${bucket}/o/${name}`));

    assert.deepEqual(
      answers.map(({ status }) => status),
      [503, 503, 200],
    );
    assert.match(answers[0]?.body.toString("utf8") ?? "", /"reason":"backendError"/);
    assert.equal(answers[0]?.headers.get("retry-after"), "0");
    assert.equal(handle.hits, 2);
  });

  test("an upload in one request whose connection is cut leaves nothing", async () => {
    const name = context.name();
    gcs.faults.add({ kind: "cut-request", afterBytes: 50_000 }, { key: name, operation: "InsertObject" });
    const path = `/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${name}`;

    await assert.rejects(context.send("POST", path, { body }));

    assert.equal((await read(name)).status, 404);
  });

  test("of a chunk whose connection is cut, whole units of 256 KiB are kept, and the upload goes on behind them", async () => {
    const name = context.name();
    const bytes = randomBytes(4 * quantum);
    const session = await context.begin(bucket, name);
    gcs.faults.add({ kind: "cut-request", afterBytes: 2 * quantum + 1000 }, { key: name, operation: "ContinueUpload" });
    await assert.rejects(context.chunk(session, `0-${4 * quantum - 1}/${4 * quantum}`, bytes));

    const state = await context.chunk(session, "*/*");
    const kept = Number(/-(\d+)$/.exec(state.headers.get("range") ?? "")?.[1] ?? -1) + 1;
    const answer = await context.chunk(session, `${kept}-${4 * quantum - 1}/${4 * quantum}`, bytes.subarray(kept));

    assert.equal(state.status, 308);
    assert.ok(kept === quantum || kept === 2 * quantum, `kept ${kept}`);
    assert.equal(answer.status, 200);
    assert.equal(jsonOf(answer)["crc32c"], hashesOf(bytes).crc32c);
  });

  test("an upload whose last answer is lost is stored, and its session says so", async () => {
    const name = context.name();
    const session = await context.begin(bucket, name);
    gcs.faults.add({ kind: "lose-response" }, { key: name, operation: "ContinueUpload" });
    await assert.rejects(context.chunk(session, "0-4/5", Buffer.from("whole")));

    const state = await context.chunk(session, "*/*");

    assert.equal(state.status, 200);
    assert.equal(jsonOf(state)["size"], "5");
  });

  test("a request that comes later takes over from one that hangs", async () => {
    const name = context.name();
    const bytes = randomBytes(2 * quantum);
    const session = await context.begin(bucket, name);
    const match = { key: name, operation: "ContinueUpload" };
    const stall = gcs.faults.add({ kind: "stall-request", afterBytes: quantum + 1 }, match);
    const hanging = new AbortController();
    const lost = fetch(session, {
      method: "PUT",
      headers: { "content-range": `bytes 0-${2 * quantum - 1}/${2 * quantum}` },
      body: new Uint8Array(bytes),
      signal: hanging.signal,
    });
    await until("the first one is there", () => stall.hits > 0);

    const answer = await context.chunk(session, `0-${2 * quantum - 1}/${2 * quantum}`, bytes);
    hanging.abort();

    await assert.rejects(lost);
    assert.equal(answer.status, 200);
    assert.equal(jsonOf(answer)["crc32c"], hashesOf(bytes).crc32c);
  });

  test("an answer is cut after its bytes", async () => {
    const name = await stored();
    gcs.faults.add({ kind: "cut-response", afterBytes: 1000 }, { key: name, operation: "ReadObject" });

    await assert.rejects(read(name));
  });

  test("one byte of an answer is changed, and its hash shows it", async () => {
    const name = await stored();
    gcs.faults.add({ kind: "corrupt-response", atByte: 10 }, { key: name, operation: "ReadObject" });

    const answer = await read(name);

    assert.equal(answer.body.length, body.length);
    assert.notDeepEqual(answer.body, body);
    assert.ok((answer.headers.get("x-goog-hash") ?? "").includes(`crc32c=${hashesOf(body).crc32c}`));
  });

  test("an answer lies about hashes, in its header and in its resource", async () => {
    const name = await stored();
    gcs.faults.add({ kind: "lie-checksum" }, { key: name }, { times: 2 });

    const content = await read(name);
    const resource = jsonOf(await context.send("GET", `/storage/v1/b/${bucket}/o/${name}`));

    assert.ok(!(content.headers.get("x-goog-hash") ?? "").includes(hashesOf(body).crc32c));
    assert.notEqual(resource["crc32c"], hashesOf(body).crc32c);
  });

  test("bytes that are changed below the server are sent as they are, with the hash of what was stored", async () => {
    const name = await stored();
    const file = gcs.objectFile(bucket, name);
    const bytes = await readFile(file);
    bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0);
    await writeFile(file, bytes);

    const answer = await read(name);

    assert.deepEqual(answer.body, bytes);
    assert.ok((answer.headers.get("x-goog-hash") ?? "").includes(hashesOf(body).crc32c));
  });
});
