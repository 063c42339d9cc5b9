import type { Call, PluginError } from "@flotilla/sdk/plugin";
import { isKind } from "@flotilla/sdk/plugin";
import type { Observed } from "@flotilla/sdk/volumes";
import type { GceOperation } from "./gce-resources.ts";

/** How an operation ended; a failure is a value here, since what throws may be outlasted. */
export type OperationEnd = PluginError | "succeeded" | "unknown";

/** What an operation needs of its API. */
export interface OperationContext {
  /** Looks at the operation; a failure throws a PluginError. */
  get(name: string, call: Call): Promise<GceOperation>;
  /** Undefined for an operation that did not fail. */
  describe(operation: GceOperation): PluginError | undefined;
}

/** Something that Compute Engine goes on with after its answer. */
export class RunningOperation {
  readonly #context: OperationContext;
  #last: GceOperation;
  #isFresh = true;

  constructor(first: GceOperation, context: OperationContext) {
    this.#last = first;
    this.#context = context;
  }

  /** What the first answer told already: an end, or undefined. */
  get end(): OperationEnd | undefined {
    if (this.#last.status !== "DONE") return undefined;
    return this.#context.describe(this.#last) ?? "succeeded";
  }

  /** Looks once; the first look is at the first answer and makes no request. */
  async look(call: Call): Promise<Observed<OperationEnd>> {
    if (!this.#isFresh && this.end === undefined) {
      const known = await this.#get(call);
      if (known === undefined) return { done: true, value: "unknown" };
      this.#last = known;
    }
    this.#isFresh = false;
    const { end } = this;
    if (end !== undefined) return { done: true, value: end };
    const { status = "RUNNING", progress } = this.#last;
    return { done: false, progress: progress === undefined ? status : `${status}, ${progress} %` };
  }

  /** Undefined where the operation cannot be looked at; the role that Velero documents does not allow it. */
  async #get(call: Call): Promise<GceOperation | undefined> {
    const { name } = this.#last;
    if (name === undefined) return undefined;
    try {
      return await this.#context.get(name, call);
    } catch (error) {
      if (isKind(error, "denied") || isKind(error, "not-found")) return undefined;
      throw error;
    }
  }
}
