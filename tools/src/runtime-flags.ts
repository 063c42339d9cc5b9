/**
 * V8's options inside every executable. Whatever runs or compiles the plugin's code must have the same ones: V8 refuses
 * code caches, its own included, that were made under options which change the code (`--no-opt`, `--no-maglev`).
 *
 * The young generation is small because the plugin shares the server's memory limit: with 8 MiB a start takes 7 ms less
 * and a transfer's peak is 45 MiB higher (docs/adr). Options that change the tag of code caches cost a start 30 ms:
 * Node's own caches are made without them.
 */
export const runtimeFlags: readonly string[] = ["--max-semi-space-size=1"];
