import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { aptArchives, archivesOfLines, archivesOfStanzas } from "./apt-archives.ts";

test("comments, source entries and disabled stanzas name no archive", () => {
  assert.deepEqual(
    archivesOfLines("# deb http://a.example/debian x main\ndeb-src http://b.example/debian x main\n"),
    [],
  );
  assert.deepEqual(archivesOfStanzas("Types: deb\nEnabled: no\nURIs: http://a.example/debian\n"), []);
  assert.deepEqual(archivesOfStanzas("Types: deb-src\nURIs: http://a.example/debian\n"), []);
});

test("a line may carry options before its archive", () => {
  const text = "deb [arch=amd64 signed-by=/k.gpg] https://a.example/debian/ bookworm main\n";

  assert.deepEqual(archivesOfLines(text), ["https://a.example/debian"]);
});

test("a stanza may name several archives, over several lines, among comments", () => {
  const text = "Types: deb\n# http://old.example\nURIs: http://a.example/debian\n http://b.example/debian\nSuites: x\n";

  assert.deepEqual(archivesOfStanzas(text), ["http://a.example/debian", "http://b.example/debian"]);
});

test("Debian's archives come first, each once, from both kinds of files", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "apt-"));
  context.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "sources.list.d"));
  writeFileSync(join(folder, "sources.list"), "deb http://vendor.example/apt stable main\n");
  const stanza = "Types: deb\nURIs: http://a.example/debian\nSuites: bookworm\n";
  writeFileSync(join(folder, "sources.list.d", "debian.sources"), `${stanza}\n${stanza}`);

  assert.deepEqual(aptArchives(folder), ["http://a.example/debian", "http://vendor.example/apt"]);
});

test("a machine without apt has no archives", () => {
  assert.deepEqual(aptArchives("/nonexistent"), []);
});
