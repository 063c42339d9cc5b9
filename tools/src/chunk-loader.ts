import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { Script } from "node:vm";

/** Where the chunks of a bundle are read from. */
export interface ChunkSource {
  /** The chunk's text. */
  code(name: string): Buffer;
  /** The code cache that belongs to that text, or undefined. */
  codeCache(name: string): Buffer | undefined;
}

/** The chunk that runs first. */
export const entryChunk = "main.js";

/** The file that holds a chunk's code cache. */
export function cacheName(chunk: string): string {
  return `${chunk}.cache`;
}

/** What a chunk's text becomes before it is compiled: the same for the recorder and the executable, or no cache fits. */
export function wrapChunk(code: string): string {
  return `(function(exports,require,module,__executableUrl,__executableFolder){${code}\n})`;
}

/**
 * Runs a bundle's entry, and each other chunk when it is first required. A code cache that V8 refuses costs time, not
 * correctness: the text is compiled instead.
 */
export function runBundle(
  source: ChunkSource,
  entry: string,
  onCompiled?: (name: string, script: Script) => void,
): void {
  const loaded = new Map<string, { exports: unknown }>();
  const executableUrl = pathToFileURL(process.execPath).href;

  function load(name: string): unknown {
    const known = loaded.get(name);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    loaded.set(name, module);
    const cachedData = source.codeCache(name);
    const script = new Script(source.code(name).toString("utf8"), {
      filename: name,
      ...(cachedData === undefined ? {} : { cachedData }),
    });
    onCompiled?.(name, script);
    // The wrapper above has this shape.
    const run = script.runInThisContext() as (...parameters: unknown[]) => void;
    run(module.exports, requireFromChunk, module, executableUrl, dirname(process.execPath));
    return module.exports;
  }

  function requireFromChunk(id: string): unknown {
    return id.startsWith("./") ? load(id.slice(2)) : process.getBuiltinModule(id);
  }

  load(entry);
}
