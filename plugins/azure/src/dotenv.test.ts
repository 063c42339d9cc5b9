import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseDotenv } from "./dotenv.ts";

for (const [title, text, expected] of [
  ["a plain line", "KEY=value\n", { KEY: "value" }],
  ["the last line without an end", "A=1\nKEY=value", { A: "1", KEY: "value" }],
  ["an empty value", "KEY=\nB=2", { KEY: "", B: "2" }],
  ["spaces around", "  KEY  =  value  \n", { KEY: "value" }],
  ["a line that a shell would export", "export KEY=value", { KEY: "value" }],
  ["a YAML line", "KEY: value", { KEY: "value" }],
  ["Windows' line ends", "A=1\r\nB=2\r\n", { A: "1", B: "2" }],
  ["comments and blank lines", "# one\n\nKEY=value # two\n  # three\n", { KEY: "value" }],
  ["a # inside of a secret", "KEY=a#b~c.d_e-f#", { KEY: "a#b~c.d_e-f#" }],
  ["an = inside of a value", "KEY=abc==", { KEY: "abc==" }],
  ["double quotes", 'KEY="a # b"', { KEY: "a # b" }],
  ["single quotes, in which nothing is special", "A=1\nKEY='a $A \\n'", { A: "1", KEY: "a $A \\n" }],
  ["escapes in double quotes", String.raw`KEY="a\nb\"c\$d"`, { KEY: 'a\nb"c$d' }],
  ["a value of several lines", 'KEY="-----BEGIN\nabc\n-----END"\nB=2', { KEY: "-----BEGIN\nabc\n-----END", B: "2" }],
  ["an earlier line's value", "A=x\nKEY=${A}-$A", { A: "x", KEY: "x-x" }],
  ["a name that no earlier line has", "KEY=a$NOPE.b", { KEY: "a.b" }],
  ["an escaped dollar", String.raw`KEY=a\$B`, { KEY: "a$B" }],
  ["a dollar that names nothing", "KEY=a$-b", { KEY: "a$-b" }],
  ["the last of two lines of one name", "KEY=1\nKEY=2", { KEY: "2" }],
  ["nothing", "", {}],
  ["a name with a dash, a space and a slash", "my-key=a\nMy key/2 = b", { "my-key": "a", "My key/2": "b" }],
  ["a colon inside of a value", "KEY=a:b", { KEY: "a:b" }],
  ["a quote that ends nowhere", "A='x\nB=\"y\nKEY=z", { A: "'x", B: '"y', KEY: "z" }],
  ["a quote within a value", "A=it's\nB=it's", { A: "it's", B: "it's" }],
  ["a text after the quotes", 'A="a"b\nKEY=c', { A: '"a"b', KEY: "c" }],
  ["quotes within quotes", `A="a"b"c"\nB='it's'`, { A: 'a"b"c', B: "it's" }],
  ["a backslash before the last single quote", "A='a\\'\nB='b'", { A: "a\\", B: "b" }],
  ["a comment behind quotes", `A="a" # it's\nB='b'#c`, { A: "a", B: "b" }],
  ["two lone quotes with one of Azure's lines between", "A='x\nAZURE_B=y\nC=z'", { A: "'x", AZURE_B: "y", C: "z'" }],
] as const) {
  test(`${title} is read as godotenv reads it`, () => {
    assert.deepEqual(Object.fromEntries(parseDotenv(text).values), expected);
  });
}

for (const [title, text] of [
  ["an AWS profile", "[default]\naws_access_key_id = x"],
  ["JSON", '{\n"type": "service_account"\n}'],
  ["a name that is broken off", "AZURE_CLI"],
  ["a certificate that is broken off", 'KEY="-----BEGIN\nabc\n'],
] as const) {
  test(`${title} is refused without a word of it`, () => {
    assert.throws(
      () => parseDotenv(text),
      (error) => error instanceof Error && !/aws_access|service_account|AZURE_CLI|abc/.test(error.message),
    );
  });
}

test("a quote that ends nowhere is told apart, since the rest of the file may be on its way", () => {
  assert.equal(parseDotenv("KEY='abc\nB=2").hasOpenQuote, true);
  assert.equal(parseDotenv("KEY='abc'\nB=it's\nC=\"a\"b").hasOpenQuote, false);
});

test("any secret without a quote comes back from single quotes", () => {
  const anySecret = fc.string({ unit: "grapheme" }).filter((text) => !/['\\\r]/.test(text));
  fc.assert(
    fc.property(anySecret, anySecret, (one, two) => {
      const { values } = parseDotenv(`ONE='${one}'\nTWO='${two}'\n`);

      assert.deepEqual(Object.fromEntries(values), { ONE: one, TWO: two });
    }),
  );
});

test("no text takes longer than it is long", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("A", "=", '"', "'", "\\", "\n", "#", " ", "$"), maxLength: 200 }),
      (text) => {
        try {
          parseDotenv(text);
        } catch (error) {
          assert.ok(error instanceof Error);
        }
      },
    ),
  );
});
