import { cacheName } from "./chunk-loader.ts";
import type { Chunk } from "./bundle.ts";

const packagesShown = 12;

/** What an executable is made of, in plain lines: its chunks with their code caches, and the largest packages. */
export function bundleReport(
  chunks: readonly Chunk[],
  executableBytes: number,
  cacheBytes: ReadonlyMap<string, number>,
): string {
  const packages = new Map<string, number>();
  for (const { sizes } of chunks)
    for (const [owner, bytes] of sizes) packages.set(owner, (packages.get(owner) ?? 0) + bytes);
  const largest = [...packages].sort(([, a], [, b]) => b - a).slice(0, packagesShown);
  const lines = [
    row("executable", executableBytes),
    ...chunks.flatMap(({ name, code }) => [
      row(`  ${name}`, code.length),
      ...[cacheBytes.get(cacheName(name))]
        .filter((bytes) => bytes !== undefined)
        .map((bytes) => row(`  ${cacheName(name)}`, bytes)),
    ]),
    "largest packages, before minification",
    ...largest.map(([owner, bytes]) => row(`  ${owner}`, bytes)),
  ];
  return `${lines.join("\n")}\n`;
}

function row(label: string, bytes: number): string {
  return `${label.padEnd(40)}${(bytes / 1024).toFixed(0).padStart(10)} KiB`;
}
