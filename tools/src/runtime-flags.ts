/**
 * V8's options inside every executable. Whatever runs or compiles the plugin's code must have the same ones: V8 refuses
 * code caches, its own included, that were made under other options.
 */
export const runtimeFlags: readonly string[] = ["--min-semi-space-size=4", "--max-semi-space-size=4"];
