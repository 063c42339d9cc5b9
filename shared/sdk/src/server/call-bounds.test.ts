import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";

import { PluginError, silentLogger } from "../plugin/index.ts";
import type { Call } from "../plugin/index.ts";
import { CallBounds } from "./call-bounds.ts";

class FakeWire extends EventEmitter {
  cancelled = false;

  cancel(): void {
    this.cancelled = true;
    this.emit("cancelled");
  }
}

const never = async (): Promise<never> => await new Promise(() => {});

test("a unary call that ignores its signal is answered at its deadline", async () => {
  const bounds = new CallBounds(silentLogger);

  const call = bounds.unary(new FakeWire(), 20, never);

  await assert.rejects(call, { kind: "timeout", message: /no answer within 0.02 s/ });
});

test("a unary call that the host cancels ends although its work goes on", async () => {
  const bounds = new CallBounds(silentLogger);
  const wire = new FakeWire();

  const call = bounds.unary(wire, 60_000, never);
  wire.cancel();

  await assert.rejects(call, { kind: "incomplete" });
});

test("a call that was cancelled before it began starts aborted", async () => {
  const bounds = new CallBounds(silentLogger);
  const wire = new FakeWire();
  wire.cancel();

  const wasAborted = await bounds.stream(wire, async ({ signal }) => await Promise.resolve(signal.aborted));

  assert.equal(wasAborted, true);
});

test("an abort of another library tells the reason of ours", async () => {
  const bounds = new CallBounds(silentLogger);
  const wire = new FakeWire();

  const call = bounds.stream(wire, async ({ signal }) => {
    wire.cancel();
    await Promise.reject(signal.aborted ? new DOMException("aborted", "AbortError") : new Error("not aborted"));
  });

  await assert.rejects(call, { kind: "incomplete", message: /host cancelled/ });
});

test("an error of a call that was not aborted passes unchanged", async () => {
  const bounds = new CallBounds(silentLogger);
  const error = new TypeError("ours");

  const call = bounds.unary(new FakeWire(), 60_000, async () => await Promise.reject(error));

  await assert.rejects(call, error);
});

test("aborting all waits for the calls to clean up, and aborts later ones at once", async () => {
  const bounds = new CallBounds(silentLogger);
  const events: string[] = [];
  const call = bounds.stream(new FakeWire(), async ({ signal }: Call) => {
    await new Promise((resolve) => {
      signal.addEventListener("abort", resolve);
    });
    events.push("cleaned up");
  });

  await bounds.abortAll(new PluginError("the end", { kind: "incomplete" }), 5000);
  events.push("waited");
  await call;

  assert.deepEqual(events, ["cleaned up", "waited"]);
  const later = bounds.stream(new FakeWire(), async ({ signal }) => await Promise.resolve(signal.aborted));
  assert.equal(await later, true);
});

test("aborting all does not wait for ever", async () => {
  const bounds = new CallBounds(silentLogger);
  void bounds.stream(new FakeWire(), never);

  await bounds.abortAll(new PluginError("the end", { kind: "incomplete" }), 20);
});
