/**
 * V8's options inside every executable. Whatever runs or compiles the plugin's code must have the same ones: V8 refuses
 * code caches, its own included, that were made under options which change the code (`--no-opt`, `--no-maglev`).
 *
 * A larger young generation starts no faster and holds 20 MiB more at the peak of a transfer per doubling
 * (docs/adr); the plugin shares the server's memory limit.
 */
export const runtimeFlags: readonly string[] = ["--max-semi-space-size=1"];
