import assert from "node:assert/strict";
import { test } from "node:test";

import { dialTarget, parseHandshake } from "./handshake.ts";

const refused: readonly (readonly [string, RegExp])[] = [
  ["hello", /Unrecognized remote plugin message: "hello"/],
  ["1|2|unix", /Unrecognized remote plugin message/],
  ["2|2|unix|/tmp/x|grpc|", /core protocol 2/],
  ["1|1|unix|/tmp/x|grpc|", /plugin protocol 1/],
  ["1|2|unix|/tmp/x", /unsupported plugin protocol "netrpc"/],
  ["1|2|pipe|/tmp/x|grpc|", /unknown address type "pipe"/],
  [`1|2|unix|/tmp/x|grpc|${"A".repeat(60)}`, /TLS/],
];

for (const [line, reason] of refused) {
  test(`the handshake ${JSON.stringify(line.slice(0, 30))} is refused`, () => {
    assert.throws(() => parseHandshake(line), reason);
  });
}

test("a unix socket and a loopback port are dialled", () => {
  assert.equal(dialTarget(parseHandshake("1|2|unix|/tmp/plugin1|grpc|")), "unix:/tmp/plugin1");
  assert.equal(dialTarget(parseHandshake("1|2|tcp|127.0.0.1:10001|grpc")), "127.0.0.1:10001");
});
