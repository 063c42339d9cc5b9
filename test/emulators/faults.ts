import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** What a stand-in knows of a request when it decides on faults and writes its log. */
export interface RequestFacts {
  /** The cloud API by its short name: `s3`, `ec2`, `sts`, `blob`. */
  readonly service: string;
  readonly method: string;
  /** The API's name of the operation: `PutObject`, `UploadPart`, `CreateSnapshot`. */
  readonly operation: string;
  /** The bucket, or the container. */
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
  readonly partNumber?: number | undefined;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
}

/** Which requests a fault meets; absent fields match everything. */
export interface FaultMatch {
  readonly method?: string;
  readonly operation?: string | readonly string[];
  readonly bucket?: string;
  readonly key?: string | RegExp;
  readonly partNumber?: number;
  readonly where?: (facts: RequestFacts) => boolean;
}

/** What goes wrong. */
export type Fault =
  /** The request waits before it is looked at. */
  | { readonly kind: "delay"; readonly ms: number }
  /** The request is refused before its body is read. */
  | {
      readonly kind: "error";
      readonly status: number;
      readonly code: string;
      readonly message?: string;
      /** More headers of the answer, such as Retry-After. EC2 sends none. */
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The operation is not done, yet the answer has status 200 and an error as its body, as S3 may do for copies and completions. */
  | { readonly kind: "error-in-200"; readonly code: string; readonly message?: string }
  /** The connection is reset once this many body bytes of the request have been read. */
  | { readonly kind: "cut-request"; readonly afterBytes: number }
  /** Reading stops once this many body bytes of the request have been read, and nothing is answered. */
  | { readonly kind: "stall-request"; readonly afterBytes: number }
  /** The operation is done, then the connection is reset without any answer. */
  | { readonly kind: "lose-response" }
  /** The connection is reset once this many body bytes of the answer have been sent. */
  | { readonly kind: "cut-response"; readonly afterBytes: number }
  /** Nothing more is sent once this many body bytes of the answer have been sent. */
  | { readonly kind: "stall-response"; readonly afterBytes: number }
  /** The answer's body is held back behind its headers until this resolves. */
  | { readonly kind: "hold-response"; readonly until: Promise<unknown> }
  /** One byte of the answer's body is changed. */
  | { readonly kind: "corrupt-response"; readonly atByte: number }
  /** One byte changes while the store copies an object or a part: the copy is of other bytes, with their checksum. */
  | { readonly kind: "corrupt-copy"; readonly atByte: number }
  /** The checksums in the answer are those of other bytes. */
  | { readonly kind: "lie-checksum" };

/** A fault that was added. */
export interface FaultHandle {
  /** How many requests it has met. */
  readonly hits: number;
  remove(): void;
}

interface Rule {
  readonly fault: Fault;
  readonly match: FaultMatch;
  skip: number;
  left: number;
  hits: number;
}

/** The faults of one stand-in; a test adds and removes them while the stand-in runs. */
export class Faults {
  #rules: Rule[] = [];
  readonly #stalled = new Set<Socket>();
  /** Those since the last clearing: a request that has met a stall may come to it only after that. */
  #current = new WeakSet<Fault>();

  /** Adds a fault. It meets the next matching request, or after `skip` of them the next `times`. */
  add(
    fault: Fault,
    match: FaultMatch = {},
    options: { readonly times?: number; readonly skip?: number } = {},
  ): FaultHandle {
    const own = { ...fault };
    const rule: Rule = { fault: own, match, skip: options.skip ?? 0, left: options.times ?? 1, hits: 0 };
    this.#rules.push(rule);
    this.#current.add(own);
    return {
      get hits() {
        return rule.hits;
      },
      remove: () => {
        this.#rules = this.#rules.filter((other) => other !== rule);
      },
    };
  }

  /** Removes all faults and ends the connections that hang in a stall. */
  clear(): void {
    this.#current = new WeakSet();
    this.#rules = [];
    for (const socket of this.#stalled) socket.destroy();
    this.#stalled.clear();
  }

  /** Returns the faults that this request meets, and counts them. */
  take(facts: RequestFacts): readonly Fault[] {
    const met = this.#rules.filter((rule) => matches(rule.match, facts));
    const due = met.filter((rule) => rule.skip === 0 && rule.left > 0);
    for (const rule of met) if (rule.skip > 0) rule.skip -= 1;
    for (const rule of due) {
      rule.left -= 1;
      rule.hits += 1;
    }
    return due.map((rule) => rule.fault);
  }

  /** Waits until the connection is gone: what a request does that stalls, for a fault where it is one. */
  async stall(socket: Socket, fault?: Fault): Promise<never> {
    if (fault !== undefined && !this.#current.has(fault)) socket.destroy();
    this.#stalled.add(socket);
    if (!socket.destroyed) await new Promise<void>((resolve) => void socket.once("close", () => resolve()));
    this.#stalled.delete(socket);
    throw new ConnectionGone();
  }
}

/** Ends a connection without a word; node resets only those without TLS. */
export function resetConnection(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

/** Thrown inside a stand-in when there is no one left to answer. */
export class ConnectionGone extends Error {
  override readonly name = "ConnectionGone";

  constructor() {
    super("the connection is gone");
  }
}

/** Finds the fault of a kind among those that a request met. */
export function findFault<K extends Fault["kind"]>(
  faults: readonly Fault[],
  kind: K,
): Extract<Fault, { kind: K }> | undefined {
  return faults.find((fault): fault is Extract<Fault, { kind: K }> => fault.kind === kind);
}

function matches(match: FaultMatch, facts: RequestFacts): boolean {
  const operations = typeof match.operation === "string" ? [match.operation] : match.operation;
  return (
    (match.method === undefined || match.method === facts.method) &&
    (operations === undefined || operations.includes(facts.operation)) &&
    (match.bucket === undefined || match.bucket === facts.bucket) &&
    (match.partNumber === undefined || match.partNumber === facts.partNumber) &&
    matchesKey(match.key, facts.key) &&
    (match.where === undefined || match.where(facts))
  );
}

function matchesKey(wanted: string | RegExp | undefined, key: string | undefined): boolean {
  if (wanted === undefined) return true;
  if (key === undefined) return false;
  return typeof wanted === "string" ? wanted === key : wanted.test(key);
}
