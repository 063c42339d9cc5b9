import { timestampDate } from "@bufbuild/protobuf/wkt";
import type {
  CopyQuery,
  CopyRef,
  CopyRegion,
  OriginQuery,
  SnapshotCopier,
  SnapshotCopy,
  SnapshotOrigin,
} from "@flotilla/sdk/plugin";
import { PluginError } from "@flotilla/sdk/plugin";
import { SnapshotCopies, SnapshotCopy_State, SnapshotOrigin_Readiness } from "@flotilla/sdk/wire";
import type { SnapshotCopy as CopyMessage, SnapshotOrigin as OriginMessage } from "@flotilla/sdk/wire";
import { status } from "@grpc/grpc-js";

import type { LocationClient } from "./location-client.ts";
import { RemoteStatusError } from "./status-error.ts";
import { serverStream, unary } from "./wire-call.ts";
import type { ClientCall } from "./wire-call.ts";

const methods = SnapshotCopies.method;

const states: Readonly<Partial<Record<SnapshotCopy_State, SnapshotCopy["state"]>>> = {
  [SnapshotCopy_State.PENDING]: "pending",
  [SnapshotCopy_State.COMPLETED]: "completed",
  [SnapshotCopy_State.FAILED]: "failed",
};

const readinesses: Readonly<Partial<Record<SnapshotOrigin_Readiness, SnapshotOrigin["readiness"]>>> = {
  [SnapshotOrigin_Readiness.READY]: "ready",
  [SnapshotOrigin_Readiness.UNFINISHED]: "unfinished",
  [SnapshotOrigin_Readiness.FAILED]: "failed",
};

/** Copies of snapshots in other regions behind the wire (flotilla.v1), of a location that was opened. */
export class SnapshotCopiesClient implements SnapshotCopier {
  readonly #location: LocationClient;

  constructor(location: LocationClient) {
    this.#location = location;
  }

  async targets(call?: ClientCall): Promise<readonly CopyRegion[]> {
    const request = { plugin: this.#plugin };
    const { targets } = await this.#asked(
      this.#location.call((client) => unary(client, methods.listTargets, request, call)),
    );
    return targets.map(({ region, maxConcurrent, serialPerVolume: isSerialPerVolume }) => ({
      region,
      maxConcurrent,
      isSerialPerVolume,
    }));
  }

  async *listOrigins(
    { backup = "", snapshotIds = [] }: OriginQuery,
    call?: ClientCall,
  ): AsyncGenerator<SnapshotOrigin> {
    const request = { plugin: this.#plugin, backup, snapshotIds: [...snapshotIds] };
    const origins = this.#location.stream((client) => serverStream(client, methods.listOrigins, request, call));
    for await (const origin of this.#heard(origins)) yield originOf(origin);
  }

  async *listCopies({ region, originId = "" }: CopyQuery, call?: ClientCall): AsyncGenerator<SnapshotCopy> {
    const request = { plugin: this.#plugin, region, originId };
    const copies = this.#location.stream((client) => serverStream(client, methods.listCopies, request, call));
    for await (const copy of this.#heard(copies)) yield copyOf(copy);
  }

  async startCopy(copy: { readonly originId: string; readonly region: string }, call?: ClientCall): Promise<string> {
    const request = { plugin: this.#plugin, ...copy };
    const answer = this.#location.call((client) => unary(client, methods.startCopy, request, call));
    return (await this.#asked(answer)).copyId;
  }

  async tendCopy({ region, copyId }: CopyRef, call?: ClientCall): Promise<void> {
    const request = { plugin: this.#plugin, region, copyId };
    await this.#asked(this.#location.call((client) => unary(client, methods.tendCopy, request, call)));
  }

  async deleteCopy({ region, copyId }: CopyRef, call?: ClientCall): Promise<void> {
    const request = { plugin: this.#plugin, region, copyId };
    await this.#asked(this.#location.call((client) => unary(client, methods.deleteCopy, request, call)));
  }

  async localCopies(originId: string, call?: ClientCall): Promise<readonly SnapshotCopy[]> {
    const request = { plugin: this.#plugin, originId };
    const copies = this.#location.stream((client) => serverStream(client, methods.listLocalCopies, request, call));
    const found: SnapshotCopy[] = [];
    for await (const copy of this.#heard(copies)) found.push(copyOf(copy));
    return found;
  }

  get #plugin(): string {
    return this.#location.name;
  }

  async #asked<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw this.#explained(error);
    }
  }

  async *#heard<T>(answers: AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* answers;
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** A plugin that does not serve this at all, such as an official one, answers by the wire's own words. */
  #explained(error: unknown): unknown {
    const isUnknown =
      error instanceof PluginError &&
      error.cause instanceof RemoteStatusError &&
      error.cause.code === status.UNIMPLEMENTED &&
      !error.cause.isAnswer;
    if (!isUnknown) return error;
    const text = `plugin ${this.#plugin} cannot copy snapshots to other regions`;
    return new PluginError(text, { kind: "unsupported", cause: error });
  }
}

function originOf({ readiness, startedAt, ...rest }: OriginMessage): SnapshotOrigin {
  const { snapshotId, volumeId, backup, state, progressPercent, sizeBytes } = rest;
  return {
    snapshotId,
    volumeId,
    backup,
    // A word of a later version: wait rather than take it for something that can be copied.
    readiness: readinesses[readiness] ?? "unfinished",
    state,
    progressPercent,
    sizeBytes,
    startedAt: startedAt && timestampDate(startedAt),
  };
}

function copyOf({ state, startedAt, ...rest }: CopyMessage): SnapshotCopy {
  const { copyId, region, originId, originRegion, detail, progressPercent, needsTending } = rest;
  return {
    copyId,
    region,
    originId,
    originRegion,
    state: states[state] ?? "pending",
    detail,
    progressPercent,
    startedAt: startedAt && timestampDate(startedAt),
    needsTending,
  };
}
