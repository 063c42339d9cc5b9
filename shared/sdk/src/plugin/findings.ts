import { PluginError } from "./plugin-error.ts";
import type { ConfigSchema } from "./config.ts";
import type { Finding } from "./inspection.ts";

/** Something that was tried and worked. */
export function ok(subject: string, detail: string): Finding {
  return { severity: "ok", subject, detail, remedy: "" };
}

/** Something that works, but is worth knowing. */
export function advice(subject: string, detail: string, remedy: string): Finding {
  return { severity: "advice", subject, detail, remedy };
}

/** Something that was tried and failed; the error's text ends with the remedy, after its first semicolon. */
export function failure(subject: string, thrown: unknown): Finding {
  const { message } = PluginError.from(thrown);
  const cut = message.indexOf("; ");
  return cut < 0
    ? { severity: "failure", subject, detail: message, remedy: "" }
    : { severity: "failure", subject, detail: message.slice(0, cut), remedy: message.slice(cut + 2) };
}

/** Tries something and reports how it went. */
export async function tried(subject: string, detail: string, operation: () => Promise<unknown>): Promise<Finding> {
  try {
    await operation();
    return ok(subject, detail);
  } catch (error) {
    return failure(subject, error);
  }
}

/** A finding for each key that is accepted without effect. */
export function* withoutEffect(schema: ConfigSchema, config: Readonly<Record<string, unknown>>): Generator<Finding> {
  for (const [name, { ignored }] of Object.entries(schema.keys))
    if (ignored !== undefined && config[name] !== undefined)
      yield advice(name, `has no effect: ${ignored}`, `remove ${name} from the location`);
}
