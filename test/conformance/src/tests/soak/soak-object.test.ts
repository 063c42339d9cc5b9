import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { BrokenRule } from "../../expect.ts";
import { SoakObject } from "./soak-object.ts";

describe("an object of the soak", () => {
  test("is what was put last", () => {
    const object = new SoakObject("k", "seed");
    const { version, body } = object.begin(100);
    object.settle(version);

    assert.equal(object.judge(body, object.sure), version);
    assert.equal(object.isLive, true);
  });

  test("may be the former or the next while it is changed", () => {
    const object = new SoakObject("k", "seed");
    const first = object.begin(100);
    object.settle(first.version);
    const second = object.begin(200);

    assert.equal(object.judge(first.body, object.sure), first.version);
    assert.equal(object.judge(second.body, object.sure), second.version);
  });

  test("may be absent while it is deleted", () => {
    const object = new SoakObject("k", "seed");
    object.settle(object.begin(100).version);
    const { version } = object.begin(undefined);

    assert.equal(object.judge(undefined, object.sure), version);
  });

  for (const [name, spoil] of [
    ["a lost object", () => undefined],
    ["a former version", ({ former }) => former],
    ["a truncated body", ({ body }) => body.subarray(0, 50)],
    ["an empty body", () => Buffer.alloc(0)],
    ["the body of another key", () => new SoakObject("k", "another seed").begin(100).body],
    ["another byte", ({ body }) => Buffer.concat([body.subarray(0, 99), Buffer.of((body[99] ?? 0) ^ 1)])],
  ] as const satisfies readonly (readonly [
    string,
    (bodies: { readonly former: Buffer; readonly body: Buffer }) => Buffer | undefined,
  ])[])
    test(`is broken by ${name}`, () => {
      const object = new SoakObject("k", "seed");
      const former = object.begin(100);
      object.settle(former.version);
      const { version, body } = object.begin(100);
      object.settle(version);

      assert.throws(() => object.judge(spoil({ former: former.body, body }), object.sure), BrokenRule);
    });

  test("that was deleted must not come back", () => {
    const object = new SoakObject("k", "seed");
    const { body } = object.begin(100);
    object.settle(object.begin(undefined).version);

    assert.throws(() => object.judge(body, object.sure), BrokenRule);
  });
});
