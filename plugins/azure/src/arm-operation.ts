import type { Call, PluginError } from "@flotilla/sdk/plugin";
import type { Observed } from "@flotilla/sdk/volumes";
import { retryAfterMs } from "./retry-after.ts";

/** The parts of an answer of ARM that tell how an operation goes on. */
export interface ArmAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  /** Parsed JSON, or undefined. */
  readonly body: unknown;
  readonly url: string;
}

/** Why an operation failed, in ARM's words. */
export interface ArmFailure {
  readonly code: string;
  readonly message: string;
  /** Of the answer that told. */
  readonly status: number;
}

/** How an operation ended; a failure is a value here, since what throws may be outlasted. */
export type OperationEnd = PluginError | "succeeded";

/** What an operation needs of its session. */
export interface OperationContext {
  /** Requests a URL of ARM's own; a failure throws a PluginError. */
  get(url: string, call: Call): Promise<ArmAnswer>;
  describe(failure: ArmFailure): PluginError;
}

/**
 * Something that ARM goes on with after its answer (202 with Azure-AsyncOperation or Location, or a resource that is
 * not provisioned yet). The SDK's own poller takes one failed look for the end of the operation and shows neither the
 * pause that ARM asks for nor its progress.
 */
export class ArmOperation {
  /** ARM's first answer. */
  readonly status: number;
  readonly #context: OperationContext;
  #last: ArmAnswer;
  #where: Whereabouts;

  constructor(first: ArmAnswer, method: "PUT" | "DELETE", context: OperationContext) {
    this.status = first.status;
    this.#context = context;
    this.#last = first;
    this.#where = whereaboutsOf(first, method);
  }

  /** Looks once; the first look at an operation that needs none makes no request. */
  async look(call: Call): Promise<Observed<OperationEnd>> {
    if (this.#where.form !== "done") {
      const { url } = this.#where;
      this.#last = await this.#context.get(url, call);
      if (this.#where.form === "location") this.#where = { form: "location", url: location(this.#last) ?? url };
    }
    const state = stateOf(this.#where.form, this.#last);
    const word = state.toLowerCase();
    if (word === "succeeded") return { done: true, value: "succeeded" };
    if (word === "failed" || word === "canceled" || word === "cancelled")
      return { done: true, value: this.#context.describe(failureIn(this.#last, state)) };
    const percent = numberAt(this.#last.body, "percentComplete");
    return {
      done: false,
      progress: percent === undefined ? state : `${state}, ${percent} %`,
      retryAfterMs: retryAfterMs((name) => this.#last.header(name)),
    };
  }
}

/** Where the state of an operation stands. */
type Whereabouts =
  | { readonly form: "status" | "location" | "resource"; readonly url: string }
  | { readonly form: "done" };

function whereaboutsOf(first: ArmAnswer, method: "PUT" | "DELETE"): Whereabouts {
  const status = first.header("azure-asyncoperation") ?? first.header("operation-location");
  if (status !== undefined) return { form: "status", url: new URL(status, first.url).href };
  const next = location(first);
  if (first.status === 202 && next !== undefined) return { form: "location", url: next };
  return method === "PUT" && !isProvisioned(first) ? { form: "resource", url: first.url } : { form: "done" };
}

function isProvisioned(answer: ArmAnswer): boolean {
  return stateOf("resource", answer).toLowerCase() === "succeeded";
}

function stateOf(form: Whereabouts["form"], { status, body }: ArmAnswer): string {
  switch (form) {
    case "done":
      return "Succeeded";
    case "status":
      return textAt(body, "status") ?? "InProgress";
    case "location":
      return status === 202 ? "InProgress" : "Succeeded";
    case "resource":
      return textAt(fieldOf(body, "properties"), "provisioningState") ?? (status === 202 ? "InProgress" : "Succeeded");
    default:
      return form satisfies never;
  }
}

function location(answer: ArmAnswer): string | undefined {
  const url = answer.header("location");
  return url === undefined ? undefined : new URL(url, answer.url).href;
}

function failureIn({ body, status }: ArmAnswer, state: string): ArmFailure {
  const error = fieldOf(body, "error");
  return { code: textAt(error, "code") ?? state, message: textAt(error, "message") ?? "", status };
}

function textAt(value: unknown, name: string): string | undefined {
  const field = fieldOf(value, name);
  return typeof field === "string" ? field : undefined;
}

function numberAt(value: unknown, name: string): number | undefined {
  const field = fieldOf(value, name);
  return typeof field === "number" ? field : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  // Checked just above; TypeScript does not narrow to the one name.
  return (value as Readonly<Record<string, unknown>>)[name];
}
