import type { RequestFacts } from "./faults.ts";

/** One request as it came over the wire. */
export interface LoggedRequest extends RequestFacts {
  /** The status that was answered; 0 while it is under way or when the connection was lost before. */
  status: number;
}

// Enough for a test of 10 000 keys; older entries go, so that a stand-in of long life stays small.
const maxEntries = 50_000;

/** Remembers the requests, for assertions such as "no request was aws-chunked". */
export class RequestLog {
  #entries: LoggedRequest[] = [];

  add(facts: RequestFacts): LoggedRequest {
    const entry = { ...facts, status: 0 };
    this.#entries.push(entry);
    if (this.#entries.length > maxEntries) this.#entries = this.#entries.slice(-maxEntries / 2);
    return entry;
  }

  /** Returns the requests in their order, of one operation where it is given. */
  entries(operation?: string): readonly LoggedRequest[] {
    return this.#entries.filter((entry) => operation === undefined || entry.operation === operation);
  }

  clear(): void {
    this.#entries = [];
  }
}
