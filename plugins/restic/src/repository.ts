import { createHash } from "node:crypto";
import { MadeOnce, systemClock } from "@flotilla/sdk/plugin";
import type { Call, Clock, JsonObject, OpenContext, PluginError } from "@flotilla/sdk/plugin";
import { boundCache } from "./cache-bound.ts";
import type { RepositoryConfig } from "./config.ts";
import { copySource, requireOneIdentity } from "./copy-source.ts";
import type { ReachedRepository } from "./copy-source.ts";
import { faultOf, resticError } from "./errors.ts";
import { LockWait } from "./lock-wait.ts";
import { inTurn } from "./machine-turn.ts";
import { OperationGate } from "./operation-gate.ts";
import type { ReplayableBody } from "./replayable-body.ts";
import { openAccess } from "./repository-access.ts";
import type { RepositoryAccess } from "./repository-access.ts";
import type { RepositoryLocation } from "./repository-location.ts";
import { findRestic } from "./restic-binary.ts";
import type { ResticBinary } from "./restic-binary.ts";
import { runRestic, streamRestic } from "./restic-run.ts";
import type { ResticAnswer } from "./restic-run.ts";
import type { ResticCommand, ResticEnd } from "./restic-process.ts";

/** One restic to run. */
export interface ResticRequest {
  /** For errors: `list the snapshots`. */
  readonly action: string;
  /** The command and its own arguments, without those that say which repository. */
  readonly args: readonly string[];
  /** `none` reads without leaving a lock; `append` adds; `exclusive` removes and waits for all others. */
  readonly lock: "none" | "append" | "exclusive";
  /** Its standard input. */
  readonly input?: ReplayableBody;
  /** Hears each line of JSON on its standard output, which is not kept then, and on its standard error. */
  readonly onMessage?: (message: JsonObject) => void;
  /** It says nothing while it works, so that silence is no sign that it hangs. */
  readonly isSilent?: boolean;
  /** How long other users' locks are waited for; four minutes unless told. */
  readonly lockPatienceMs?: number;
  /** Exit codes that are no failure, besides 0. */
  readonly acceptedCodes?: readonly number[];
  readonly workingFolder?: string;
  /** A second repository, which it reads. */
  readonly from?: Repository;
}

/** How a repository differs from a location's own. */
export interface RepositoryOptions {
  readonly clock?: Clock;
  /** Made anew, it cuts files as this one does, or nothing would be found twice in what is copied from there. */
  readonly cutsLike?: Repository;
}

const defaultPatienceMs = 4 * 60_000;

/** A restic repository: runs restic on it, one at a time where it must be, waiting for locks, made on request. */
export class Repository {
  readonly location: RepositoryLocation;
  readonly restic: ResticBinary;
  readonly gate = new OperationGate();
  readonly #config: RepositoryConfig;
  readonly #access: RepositoryAccess;
  readonly #clock: Clock;
  readonly #cutsLike: Repository | undefined;
  /** Once, however many requests find that there is no repository. */
  readonly #initialized = new MadeOnce(async (call: Call) => await this.#runInit(call));

  private constructor(
    config: RepositoryConfig,
    restic: ResticBinary,
    access: RepositoryAccess,
    { clock = systemClock, cutsLike }: RepositoryOptions,
  ) {
    this.location = config.repository;
    this.restic = restic;
    this.#config = config;
    this.#access = access;
    this.#clock = clock;
    this.#cutsLike = cutsLike;
  }

  /** Finds restic and reads what the location says of its repository, which is asked for nothing yet. */
  static async open(
    config: RepositoryConfig,
    context: OpenContext,
    options: RepositoryOptions = {},
  ): Promise<Repository> {
    const [found, opened] = await Promise.allSettled([
      findRestic(config.resticPath, context),
      openAccess(config, context),
    ]);
    if (opened.status === "rejected") throw opened.reason;
    if (found.status === "rejected") {
      await opened.value.password.close();
      throw found.reason;
    }
    const [restic, access] = [found.value, opened.value];
    context.log.debug("opened a restic repository", {
      repository: config.repository.shown,
      restic: restic.version.text,
      program: restic.path,
    });
    // Not awaited, so that no call waits for it. The server never closes a location: it ends the process.
    void boundCache(access.cacheFolder, config.cacheLimit).catch(() => {});
    return new Repository(config, restic, access, options);
  }

  /** Throws where one restic could not reach this repository and the other one. */
  requireReachableFrom(from: Repository): void {
    requireOneIdentity(from.#reached, this.#reached);
  }

  /** Runs a restic to its end. */
  async run(request: ResticRequest, call: Call): Promise<ResticAnswer> {
    const { lock, from } = request;
    // What is being read elsewhere is in use there.
    using _from = await from?.gate.enter("append", call.signal);
    using _ = lock === "none" ? undefined : await this.gate.enter(lock, call.signal);
    const wait = new LockWait(request.lockPatienceMs ?? defaultPatienceMs, this.#clock, this.restic.version);
    for (let tries = 1; ; tries += 1) {
      const command = this.command(request, lock === "none" ? [] : wait.flags());
      const answer = await runRestic(command, request, call);
      if (isAccepted(answer.end, request)) return answer;
      const isMissing = faultOf(answer.end) === "no-repository";
      if (isMissing && tries === 1 && this.#config.initialize) await this.#initialized.get(call);
      else await this.#waitForLock(request, answer.end, wait, call);
    }
  }

  /** Streams the standard output of a restic that only reads. Throws after the last byte where it failed. */
  async *stream(
    request: ResticRequest & { readonly lock: "none" },
    call: Call,
  ): AsyncGenerator<Uint8Array, void, void> {
    const end = yield* streamRestic(this.command(request, []), call);
    if (!isAccepted(end, request)) throw this.errorOf(request, end);
  }

  /** The error of a restic that failed. */
  errorOf(request: Pick<ResticRequest, "action">, end: ResticEnd): PluginError {
    const { shown, user } = this.location;
    return resticError(end, { action: request.action, repository: shown, secret: user });
  }

  /** The whole command line of a request, for who starts restic himself. */
  command({ args, lock, workingFolder, from }: ResticRequest, lockFlags: readonly string[] = []): ResticCommand {
    const { password } = this.#access;
    const source = from === undefined ? undefined : copySource(from.#reached, this.#reached);
    const { environment } = source ?? this.#access;
    // The larger part of what is looked up is in the repository that is read.
    const { cacheFolder } = (from ?? this).#access;
    return {
      path: this.restic.path,
      // A repository may hold a password (rest:https://user:password@host), which a command line would show.
      environment: { ...environment, RESTIC_REPOSITORY: this.location.text },
      args: [
        ...args,
        ...password.args,
        ...(source?.args ?? []),
        "--cache-dir",
        cacheFolder,
        "--cleanup-cache",
        ...(lock === "none" ? ["--no-lock"] : []),
        // A word to a plugin that was killed ends it, and its lock would keep everybody out for half an hour.
        ...(lock === "exclusive" ? ["--quiet"] : []),
        ...lockFlags,
      ],
      descriptor: password.descriptor,
      secondDescriptor: source?.descriptor,
      workingFolder,
    };
  }

  /** Frees what was opened. */
  async close(): Promise<void> {
    await this.#access.password.close();
  }

  get #reached(): ReachedRepository {
    return { location: this.location, access: this.#access };
  }

  /** Waits where the repository is locked and the request can be sent again; throws why it failed otherwise. */
  async #waitForLock(request: ResticRequest, end: ResticEnd, wait: LockWait, call: Call): Promise<void> {
    const error = this.errorOf(request, end);
    const canRepeat = request.input?.canReplay ?? true;
    if (faultOf(end) !== "locked" || !canRepeat) throw error;
    if (wait.mayBeStale())
      for (const repository of request.from === undefined ? [this] : [this, request.from])
        await repository.#removeStaleLocks(call);
    if (!(await wait.next(call))) throw error;
    call.log.info("the repository is locked: trying again", { action: request.action });
  }

  async #runInit(call: Call): Promise<void> {
    const from = this.#cutsLike;
    const request: ResticRequest =
      from === undefined
        ? { action: "initialize", args: ["init"], lock: "append" }
        : { action: "initialize", args: ["init", "--copy-chunker-params"], lock: "append", from };
    // Two that made it at once would each leave a key of their own, of which only one opens it.
    const place = createHash("sha256").update(this.location.text).digest("hex");
    const { end } = await inTurn(`init-${place}`, call.signal, async () => {
      return await runRestic(this.command(request), request, call);
    });
    // Another process may have been faster.
    if (end.code !== 0 && !/already (?:exists|initialized)/i.test(end.lines.join("\n")))
      throw this.errorOf(request, end);
    call.log.info("made a new restic repository", { repository: this.location.shown });
  }

  /** As restic documents it: `unlock` removes the locks of processes that are gone, and of no others. */
  async #removeStaleLocks(call: Call): Promise<void> {
    const request: ResticRequest = { action: "remove stale locks", args: ["unlock"], lock: "append" };
    const { end } = await runRestic(this.command(request), request, call);
    // Whoever waits for the lock is told by its own end.
    if (end.code !== 0) call.log.info("stale locks cannot be removed", { reason: this.errorOf(request, end).message });
  }
}

function isAccepted({ code }: ResticEnd, { acceptedCodes }: ResticRequest): boolean {
  return code === 0 || (code !== null && acceptedCodes?.includes(code) === true);
}
