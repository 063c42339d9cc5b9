import { onLog } from "./interpose.ts";
import type { Variant } from "./variant.ts";

/** Plugins whose log lines the server would lose, count or die of. */
export const logVariants: readonly Variant[] = [
  {
    name: "logs-numbers",
    breaks: "a field of a log line is a number",
    caughtBy: "process/log/fields-are-strings",
    process: () => onLog((line) => ({ ...line, bytes: 5 })),
  },
  {
    name: "logs-a-message-object",
    breaks: "the message of a log line is an object",
    caughtBy: "process/log/fields-are-strings",
    process: () => onLog((line) => ({ ...line, "@message": { text: line["@message"] } })),
  },
  {
    name: "logs-warning",
    breaks: 'the level of a log line is "warning"',
    caughtBy: "process/log/levels-are-known",
    process: () => onLog((line) => ({ ...line, "@level": "warning" })),
  },
  {
    name: "logs-without-a-level",
    breaks: "a log line has no level",
    caughtBy: "process/log/levels-are-known",
    process: () => onLog(({ "@level": _level, ...line }) => line),
  },
  {
    name: "logs-plain-text",
    breaks: "log lines are plain text",
    caughtBy: "process/log/lines-are-json",
    process: () => onLog((line) => `${new Date().toISOString()} ${String(line["@message"])}`),
  },
  {
    name: "logs-nested-fields",
    breaks: "a field of a log line is an object",
    caughtBy: "process/log/lines-are-json",
    process: () => onLog((line) => ({ ...line, request: { id: "1" } })),
  },
  {
    name: "logs-its-own-time",
    breaks: "log lines carry JavaScript's form of the time",
    caughtBy: "process/log/lines-are-whole",
    process: () => onLog((line) => ({ ...line, "@timestamp": new Date().toISOString() })),
  },
  {
    name: "logs-endless-lines",
    breaks: "a log line is longer than 64 KiB",
    caughtBy: "process/log/lines-are-whole",
    process: () => onLog((line) => ({ ...line, dump: "x".repeat(70_000) })),
  },
  {
    name: "warns-when-all-is-well",
    breaks: "every Init warns",
    caughtBy: "process/log/quiet-session",
    objects: (_store, context) => {
      context.log.warn("this store is not durable");
      return {};
    },
  },
  {
    name: "logs-an-absent-object-as-an-error",
    breaks: "a get of an absent object is logged at error",
    caughtBy: "process/log/quiet-run",
    objects: (store, context) => ({
      async *getObject(object, call) {
        if (!(await store.objectExists(object, call))) context.log.error(`no object ${object.key}`);
        yield* store.getObject(object, call);
      },
    }),
  },
];
