import assert from "node:assert/strict";
import { createServer, get } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { parseApiText, readText } from "./answers.ts";

async function answerOf(t: TestContext, respond: (response: ServerResponse) => void): Promise<IncomingMessage> {
  const server = createServer((_, response) => respond(response));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo;
  return await new Promise((resolve, reject) => {
    get(`http://127.0.0.1:${port}`, resolve).on("error", reject);
  });
}

test("characters that are cut between two pieces of an answer are joined", async (t) => {
  const bytes = Buffer.from("größe 😀");
  const body = await answerOf(t, (response) => {
    response.write(bytes.subarray(0, 3));
    setTimeout(() => response.end(bytes.subarray(3)), 20);
  });

  assert.equal(await readText({ body }), "größe 😀");
});

test("an answer that breaks off without a word is given up", async (t) => {
  const body = await answerOf(t, (response) => void response.write("begun"));

  await assert.rejects(readText({ body }, 50), { code: "ETIMEDOUT" });
});

test("an answer that is cut fails", async (t) => {
  const body = await answerOf(t, (response) => {
    response.writeHead(200, { "content-length": "100" }).write("begun");
    setTimeout(() => response.destroy(), 20);
  });

  await assert.rejects(readText({ body }), { code: "ECONNRESET" });
});

for (const [name, body, code] of [
  ["a reason of the JSON API", { error: { code: 403, errors: [{ reason: "forbidden" }] } }, "forbidden"],
  ["a status of a newer API", { error: { code: 403, status: "PERMISSION_DENIED" } }, "PERMISSION_DENIED"],
  ["an error of OAuth", { error: "invalid_grant" }, "invalid_grant"],
  ["an error of another form", { error: 7 }, "no error code"],
  ["a list of errors that is empty", { error: { errors: [] } }, "no error code"],
] as const) {
  test(`the code of an error answer is ${name}`, () => {
    assert.equal(parseApiText(JSON.stringify(body), 403, undefined).code, code);
  });
}
