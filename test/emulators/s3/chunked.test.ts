import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";

import { decodeChunked } from "./chunked.ts";
import type { ChunkedOptions } from "./chunked.ts";
import { S3Error } from "./s3-error.ts";

// The example of the S3 API reference: 65 KiB of "a" in chunks of 64 KiB, with the signatures published there.
function exampleSigning(): NonNullable<ChunkedOptions["signing"]> {
  let key = Buffer.from("AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
  for (const part of ["20130524", "us-east-1", "s3", "aws4_request"]) {
    key = createHmac("sha256", key).update(part).digest();
  }
  const seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
  return { key, timestamp: "20130524T000000Z", scope: "20130524/us-east-1/s3/aws4_request", seed };
}
const signatures = [
  "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
  "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
  "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
];
function example([first, second, last] = signatures, letter = "a"): string {
  const chunks = [
    `10000;chunk-signature=${first}\r\n${letter.repeat(65_536)}\r\n`,
    `400;chunk-signature=${second}\r\n${"a".repeat(1024)}\r\n`,
  ];
  return `${chunks.join("")}0;chunk-signature=${last}\r\n\r\n`;
}

async function* inPieces(text: string, size: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < text.length; i += size) yield await Promise.resolve(Buffer.from(text.slice(i, i + size)));
}

async function decode(
  text: string,
  options: Partial<ChunkedOptions> = {},
  size = 1000,
): Promise<{ data: string; trailers: Record<string, string> }> {
  const trailers = new Map<string, string>();
  const chunks: Buffer[] = [];
  const all = { signing: undefined, trailerNames: [], ...options };
  for await (const chunk of decodeChunked(inPieces(text, size), all, trailers)) chunks.push(chunk);
  return { data: Buffer.concat(chunks).toString(), trailers: Object.fromEntries(trailers) };
}

async function codeOf(decoding: Promise<unknown>): Promise<string> {
  try {
    await decoding;
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
  return "accepted";
}

const crc = { trailerNames: ["x-amz-checksum-crc32"] };

describe("aws-chunked", () => {
  for (const size of [1, 7, 1000, 100_000]) {
    test(`the published example is decoded from pieces of ${size} bytes`, async () => {
      const { data } = await decode(example(), { signing: exampleSigning() }, size);

      assert.equal(data, "a".repeat(66_560));
    });
  }

  test("a chunk whose bytes are not those that were signed is refused", async () => {
    assert.equal(
      await codeOf(decode(example(signatures, "b"), { signing: exampleSigning() })),
      "SignatureDoesNotMatch",
    );
  });

  test("a last chunk with another signature is refused", async () => {
    const changed = [...signatures.slice(0, 2), "0".repeat(64)];

    assert.equal(await codeOf(decode(example(changed), { signing: exampleSigning() })), "SignatureDoesNotMatch");
  });

  test("an unsigned chunk where chunks are signed is refused", async () => {
    assert.equal(await codeOf(decode("1\r\na\r\n0\r\n\r\n", { signing: exampleSigning() })), "SignatureDoesNotMatch");
  });

  test("the trailer is returned", async () => {
    const decoded = await decode("3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n", crc);

    assert.deepEqual(decoded, { data: "abc", trailers: { "x-amz-checksum-crc32": "NSRBwg==" } });
  });

  const refusals: readonly (readonly [string, string, string, Partial<ChunkedOptions>])[] = [
    ["a trailer that is missing", "MalformedTrailerError", "1\r\na\r\n0\r\n\r\n", crc],
    ["a trailer that was not announced", "MalformedTrailerError", "1\r\na\r\n0\r\nx-a:b\r\n\r\n", {}],
    ["a trailer line without a name", "MalformedTrailerError", "1\r\na\r\n0\r\n:b\r\n\r\n", crc],
    ["a small chunk before the last", "InvalidChunkSizeError", "1\r\na\r\n1\r\nb\r\n0\r\n\r\n", {}],
    ["a body that ends in a chunk", "IncompleteBody", "5\r\nab", {}],
    ["a body without its last chunk", "IncompleteBody", "1\r\na\r\n", {}],
    ["a chunk that is longer than it says", "IncompleteBody", "1\r\nab\r\n0\r\n\r\n", {}],
    ["data behind the last chunk", "IncompleteBody", "1\r\na\r\n0\r\n\r\nmore", {}],
    ["bytes without framing", "IncompleteBody", "just some bytes\r\n", {}],
  ];
  for (const [what, code, text, options] of refusals) {
    test(`${what} is refused`, async () => assert.equal(await codeOf(decode(text, options)), code));
  }
});
