import type { RequestFacts } from "../faults.ts";
import type { WholeAnswer, WholeRequest, WholeService } from "../whole-request.ts";

/** What one of the endpoints does. */
export type Handlers = Pick<WholeService, "describe" | "answer" | "refuse">;

/** Tells what a request asks for. */
export function factsOf({ method, query, headers }: WholeRequest, operation: string): RequestFacts {
  return { service: "azure-identity", method, operation, query: new Map(query), headers };
}

/** Writes an answer. */
export function json(
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): WholeAnswer {
  const plain = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store, no-cache" };
  return { status, headers: { ...plain, ...headers }, body: JSON.stringify(body) };
}
