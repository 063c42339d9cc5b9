import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { trimIcuData } from "./icu-data.ts";
import { nodeBinary } from "./node-binary.ts";
import { parsePlatform } from "./platform.ts";
import { stripSections } from "./strip-sections.ts";
import { trimTypeStripper } from "./type-stripper.ts";

const scratch = mkdtempSync(join(tmpdir(), "trimmed-node-"));
after(() => rmSync(scratch, { recursive: true }));

const whole = stripSections(readFileSync(nodeBinary(parsePlatform())));
const icu = trimIcuData(whole);
const both = trimTypeStripper(icu.executable);
const node = join(scratch, "node");
writeFileSync(node, both.executable, { mode: 0o755 });

function evaluate(expression: string, locale: string): unknown {
  const env = { LANG: locale, LC_ALL: locale, TZ: "UTC" };
  const text = execFileSync(node, ["-p", `JSON.stringify(${expression})`], { env, encoding: "utf8" });
  return JSON.parse(text);
}

test("a file without ICU data or without a type stripper is refused", () => {
  assert.throws(() => trimIcuData(Buffer.alloc(64)), /no ICU data/);
  assert.throws(() => trimTypeStripper(Buffer.alloc(64)), /no type stripper/);
});

test("most of the ICU data and the type stripper become bytes that compress to nothing, and no byte moves", () => {
  assert.ok(icu.freedBytes > 20 * 1024 ** 2, `${icu.freedBytes} bytes of ICU data`);
  assert.ok(both.freedBytes > 1024 ** 2, `${both.freedBytes} bytes of the type stripper`);
  assert.equal(both.executable.length, whole.length);
});

for (const locale of ["C", "en_US.UTF-8", "de_DE.UTF-8", "ja_JP.UTF-8", "xx_YY"]) {
  test(`what SDKs and plugins ask of the runtime stays right where the pod's locale is ${locale}`, () => {
    assert.deepEqual(
      evaluate(
        `[
          new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from("grün")),
          new TextDecoder("utf-16le").decode(Buffer.from([65, 0])),
          new TextDecoder("latin1").decode(Buffer.from([0xfc])),
          "é".normalize("NFD").length,
          "I".toLowerCase() + "ß".toUpperCase(),
          "I".toLocaleLowerCase(),
          /^\\p{Lu}\\p{L}+$/u.test("Größe"),
          new URL("https://bücher.example/").host,
          new Intl.NumberFormat("en").format(1234.5),
          ["b", "a", "B"].sort(new Intl.Collator("en").compare).join(""),
          ["b", "a"].sort((a, b) => a.localeCompare(b)).join(""),
          new Date(0).toLocaleString("en-US", { timeZone: "Europe/Berlin" }).slice(0, 11),
          new Date(0).toUTCString(),
          new Intl.PluralRules("en").select(1),
        ]`,
        locale,
      ),
      [
        "grün",
        "A",
        "ü",
        2,
        "iSS",
        "i",
        true,
        "xn--bcher-kva.example",
        "1,234.5",
        "abB",
        "ab",
        "1/1/1970, 1",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "one",
      ],
    );
  });
}

test("a locale that was left out is the root's, as one that ICU never had", () => {
  assert.equal(evaluate('new Intl.NumberFormat("de").format(0.5)', "C"), "0.5");
});
