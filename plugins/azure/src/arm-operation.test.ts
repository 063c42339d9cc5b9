import assert from "node:assert/strict";
import { test } from "node:test";
import { isKind, PluginError, silentLogger } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import type { Observed } from "@flotilla/sdk/volumes";
import { ArmOperation } from "./arm-operation.ts";
import type { ArmAnswer, OperationEnd } from "./arm-operation.ts";

const call: Call = { log: silentLogger, signal: new AbortController().signal };
const resource = "https://arm.example/subscriptions/s/snapshots/x?api-version=1";
const status = "https://arm.example/operations/1";

function answer(code: number, headers: Record<string, string> = {}, body?: unknown, url = resource): ArmAnswer {
  return { status: code, header: (name) => headers[name], body, url };
}

interface Run {
  readonly seen: readonly Observed<OperationEnd>[];
  readonly urls: readonly string[];
}

/** Looks until the end, or until the answers do. */
async function run(first: ArmAnswer, answers: readonly ArmAnswer[], method: "PUT" | "DELETE" = "PUT"): Promise<Run> {
  const urls: string[] = [];
  const rest = [...answers];
  const operation = new ArmOperation(first, method, {
    get: async (url) => {
      urls.push(url);
      return rest.shift() ?? assert.fail("one look too many");
    },
    describe: ({ code, message, status }) =>
      new PluginError(`${code} ${message} ${status}`, { kind: "unavailable", code }),
  });
  const seen: Observed<OperationEnd>[] = [];
  do seen.push(await operation.look(call));
  while (seen.at(-1)?.done === false && rest.length > 0);
  return { seen, urls };
}

const accepted = answer(202, { "azure-asyncoperation": status, location: "https://arm.example/other" });

test("an operation is followed at Azure-AsyncOperation, with its progress and the pause that it asks for", async () => {
  const { seen, urls } = await run(accepted, [
    answer(200, { "retry-after": "7" }, { status: "InProgress", percentComplete: 40 }),
    answer(200, {}, { status: "Running" }),
    answer(200, {}, { status: "Succeeded" }),
  ]);

  assert.deepEqual(seen, [
    { done: false, progress: "InProgress, 40 %", retryAfterMs: 7000 },
    { done: false, progress: "Running", retryAfterMs: undefined },
    { done: true, value: "succeeded" },
  ]);
  assert.deepEqual(urls, [status, status, status]);
});

for (const word of ["Failed", "failed", "Canceled"])
  test(`an operation that ends as ${word} hands over why`, async () => {
    const error = { code: "KeyVaultAccessForbidden", message: "no key" };
    const { seen } = await run(accepted, [answer(200, {}, { status: word, error })]);

    const [last] = seen;
    assert.ok(last?.done === true && isKind(last.value, "unavailable"));
    assert.equal(last.value.message, "KeyVaultAccessForbidden no key 200");
  });

test("a failure without an error is told by its state", async () => {
  const { seen } = await run(accepted, [answer(200, {}, { status: "Canceled" })]);

  assert.ok(seen[0]?.done === true && seen[0].value instanceof PluginError);
  assert.equal(seen[0].value.code, "Canceled");
});

test("without Azure-AsyncOperation an operation is followed from Location to Location until it is no 202", async () => {
  const { seen, urls } = await run(answer(202, { location: "/l/1" }), [
    answer(202, { location: "/l/2", "retry-after": "0" }),
    answer(202),
    answer(200, {}, { properties: { provisioningState: "Updating" } }),
  ]);

  assert.deepEqual(
    seen.map(({ done }) => done),
    [false, false, true],
  );
  assert.deepEqual(urls, ["https://arm.example/l/1", "https://arm.example/l/2", "https://arm.example/l/2"]);
});

test("without either a resource is asked until it is provisioned", async () => {
  const state = (provisioningState: string): ArmAnswer => answer(200, {}, { properties: { provisioningState } });
  const { seen, urls } = await run(state("Creating"), [state("Updating"), state("Succeeded")]);

  assert.deepEqual(seen, [
    { done: false, progress: "Updating", retryAfterMs: undefined },
    { done: true, value: "succeeded" },
  ]);
  assert.deepEqual(urls, [resource, resource]);
});

const finished: readonly (readonly [name: string, first: ArmAnswer, method: "PUT" | "DELETE"])[] = [
  [
    "a resource that is provisioned at once",
    answer(201, {}, { properties: { provisioningState: "Succeeded" } }),
    "PUT",
  ],
  ["a resource without a state", answer(200, {}, { name: "x" }), "PUT"],
  ["a deletion that is done at once", answer(200), "DELETE"],
  ["a deletion of what is not there", answer(204), "DELETE"],
];

for (const [name, first, method] of finished)
  test(`${name} needs no look`, async () => {
    assert.deepEqual(await run(first, [], method), { seen: [{ done: true, value: "succeeded" }], urls: [] });
  });
