import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** The direction of bytes: from the client to the server, or back. */
export type Direction = "up" | "down";

/** What a proxy does to the bytes that pass. Each count is of one connection and one direction. */
export interface ProxyFaults {
  /** Added on the way to the server. Default 0. */
  readonly upDelayMs?: number;
  /** Added on the way back. Default 0. */
  readonly downDelayMs?: number;
  /** The most bytes a second, on one connection, per direction. Default: no bound. */
  readonly bytesPerSecond?: number;
  /** Resets the connection after so many bytes of a direction. */
  readonly cut?: { readonly direction: Direction; readonly afterBytes: number };
  /** Lets nothing more through after so many bytes of a direction, and keeps the connection open. */
  readonly stall?: { readonly direction: Direction; readonly afterBytes: number };
  /** Changes one byte of a direction. */
  readonly corrupt?: { readonly direction: Direction; readonly atByte: number };
}

/** How to start a fault proxy. */
export interface ProxyOptions extends ProxyFaults {
  readonly targetPort: number;
  /** Default: 127.0.0.1 */
  readonly targetHost?: string;
  /** Default: a free one. */
  readonly port?: number;
}

/** A running fault proxy. */
export interface FaultProxy {
  readonly port: number;
  /** The address under which an HTTP server behind the proxy is reached. */
  readonly url: string;
  /** Bytes passed on so far, per direction, over all connections. */
  readonly passed: Readonly<Record<Direction, number>>;
  /** Changes what connections made from now on meet; `limit` says how many of them, then none do. */
  set(faults: ProxyFaults, limit?: number): void;
  /** Resets every connection that is open. */
  cutAll(): void;
  close(): Promise<void>;
}

/** Starts a TCP proxy in front of any server on loopback. */
export async function startFaultProxy(options: ProxyOptions): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const passed = { up: 0, down: 0 };
  let faults: ProxyFaults = options;
  let left = Infinity;
  // Half-open, since each direction ends by itself.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const met = left > 0 ? faults : {};
    left -= 1;
    const target = connect({
      port: options.targetPort,
      host: options.targetHost ?? "127.0.0.1",
      allowHalfOpen: true,
      noDelay: true,
    });
    const both = [client, target];
    const reset = (): void => both.forEach((socket) => void socket.resetAndDestroy());
    for (const socket of both) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      // Whatever broke one side, the other learns it.
      socket.on("error", reset);
    }
    const count = (direction: Direction) => (bytes: number) => void (passed[direction] += bytes);
    new Lane(client, target, laneFaults(met, "up"), reset, count("up")).start();
    new Lane(target, client, laneFaults(met, "down"), reset, count("down")).start();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  // A listening TCP server has an address of this form.
  const { port } = server.address() as AddressInfo;
  const cutAll = (): void => sockets.forEach((socket) => void socket.resetAndDestroy());
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    passed,
    cutAll,
    set: (next, limit = Infinity) => {
      faults = next;
      left = limit;
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

interface LaneFaults {
  readonly delayMs: number;
  readonly bytesPerSecond: number | undefined;
  readonly cutAfter: number;
  readonly stallAfter: number;
  readonly corruptAt: number;
}

function laneFaults(faults: ProxyFaults, direction: Direction): LaneFaults {
  const { cut, stall, corrupt } = faults;
  return {
    delayMs: (direction === "up" ? faults.upDelayMs : faults.downDelayMs) ?? 0,
    bytesPerSecond: faults.bytesPerSecond,
    cutAfter: cut?.direction === direction ? cut.afterBytes : Infinity,
    stallAfter: stall?.direction === direction ? stall.afterBytes : Infinity,
    corruptAt: corrupt?.direction === direction ? corrupt.atByte : -1,
  };
}

interface Parcel {
  /** Undefined stands for the end of the stream. */
  readonly bytes: Buffer | undefined;
  /** When its last byte may leave, on the monotonic clock. */
  readonly dueMs: number;
}

// What a lane holds back, so that a slow or distant link does not become a buffer without bound; it covers
// 20 ms at 1 GiB/s, so a delay alone never becomes a bound of throughput here.
const maxHeldBytes = 32 * 1024 ** 2;
// At most so much of a second passes in one go where the bandwidth is bounded.
const slice = 0.01;

/** Carries one direction of one connection. */
class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #faults: LaneFaults;
  readonly #reset: () => void;
  readonly #count: (bytes: number) => void;
  readonly #queue: Parcel[] = [];
  #held = 0;
  #seen = 0;
  #freeMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #isBlocked = false;

  constructor(from: Socket, to: Socket, faults: LaneFaults, reset: () => void, count: (bytes: number) => void) {
    this.#from = from;
    this.#to = to;
    this.#faults = faults;
    this.#reset = reset;
    this.#count = count;
  }

  start(): void {
    const from = this.#from;
    const to = this.#to;
    from.on("data", (chunk: Buffer) => this.#accept(chunk));
    from.on("end", () => this.#enqueue(undefined));
    from.on("close", () => {
      if (!from.readableEnded) to.destroy();
      else clearTimeout(to.destroyed ? this.#timer : undefined);
    });
    to.on("drain", () => {
      this.#isBlocked = false;
      this.#flush();
    });
    to.on("close", () => clearTimeout(this.#timer));
  }

  #accept(chunk: Buffer): void {
    const { cutAfter, stallAfter, corruptAt } = this.#faults;
    const start = this.#seen;
    this.#seen += chunk.length;
    if (corruptAt >= start && corruptAt < this.#seen) {
      chunk.writeUInt8(chunk.readUInt8(corruptAt - start) ^ 0x01, corruptAt - start);
    }
    const limit = Math.min(cutAfter, stallAfter);
    if (this.#seen < limit) {
      this.#enqueue(chunk);
      return;
    }
    if (limit > start) this.#enqueue(chunk.subarray(0, limit - start));
    this.#from.pause();
    this.#from.removeAllListeners("data");
    if (cutAfter === limit) this.#cutWhenSent();
  }

  // Reset only after what came before was handed to the system; the reset may still overtake it on the way.
  #cutWhenSent(): void {
    const wait = Math.max(0, (this.#queue.at(-1)?.dueMs ?? 0) - performance.now());
    setTimeout(() => this.#to.write("", () => this.#reset()), wait + 1);
  }

  #enqueue(bytes: Buffer | undefined): void {
    const { delayMs, bytesPerSecond } = this.#faults;
    if (delayMs === 0 && bytesPerSecond === undefined && this.#queue.length === 0 && !this.#isBlocked) {
      this.#send(bytes);
      return;
    }
    const now = performance.now();
    for (const part of splitChunk(bytes, bytesPerSecond)) {
      const size = part?.length ?? 0;
      const took = bytesPerSecond === undefined ? 0 : (1000 * size) / bytesPerSecond;
      this.#freeMs = Math.max(this.#freeMs, now) + took;
      this.#queue.push({ bytes: part, dueMs: this.#freeMs + delayMs });
      this.#held += size;
    }
    if (this.#held > maxHeldBytes || this.#isFull()) this.#from.pause();
    this.#flush();
  }

  // A bounded link takes in no more than it can carry soon: the sender must feel the bound.
  #isFull(): boolean {
    const { bytesPerSecond } = this.#faults;
    return bytesPerSecond !== undefined && this.#freeMs - performance.now() > 100;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = performance.now();
    for (let next = this.#queue[0]; next !== undefined && !this.#isBlocked; next = this.#queue[0]) {
      if (next.dueMs > now) {
        this.#timer = setTimeout(() => this.#flush(), next.dueMs - now);
        break;
      }
      this.#queue.shift();
      this.#held -= next.bytes?.length ?? 0;
      this.#send(next.bytes);
    }
    if (
      this.#from.isPaused() &&
      this.#held < maxHeldBytes / 2 &&
      !this.#isFull() &&
      this.#from.listenerCount("data") > 0
    ) {
      this.#from.resume();
    }
  }

  #send(bytes: Buffer | undefined): void {
    if (this.#to.destroyed) return;
    if (bytes === undefined) {
      this.#to.end();
      return;
    }
    this.#count(bytes.length);
    this.#isBlocked = !this.#to.write(bytes);
    if (this.#isBlocked) this.#from.pause();
  }
}

function splitChunk(bytes: Buffer | undefined, bytesPerSecond: number | undefined): readonly (Buffer | undefined)[] {
  const most = bytesPerSecond === undefined ? Infinity : Math.max(1, Math.floor(bytesPerSecond * slice));
  if (bytes === undefined || bytes.length <= most) return [bytes];
  return Array.from({ length: Math.ceil(bytes.length / most) }, (_, i) => bytes.subarray(i * most, (i + 1) * most));
}
