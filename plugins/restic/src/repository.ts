import { createHash } from "node:crypto";
import { MadeOnce, systemClock } from "@flotilla/sdk/plugin";
import type { Call, Clock, JsonObject, OpenContext, PluginError } from "@flotilla/sdk/plugin";
import { boundCache } from "./cache-bound.ts";
import type { RepositoryConfig } from "./config.ts";
import { copySource, requireOneIdentity } from "./copy-source.ts";
import type { ReachedRepository } from "./copy-source.ts";
import { faultOf, interruptedError, resticError } from "./errors.ts";
import { LockObserver } from "./lock-observer.ts";
import { LockWait } from "./lock-wait.ts";
import { inTurn } from "./machine-turn.ts";
import { OperationGate } from "./operation-gate.ts";
import type { ReplayableBody } from "./replayable-body.ts";
import { openAccess } from "./repository-access.ts";
import type { RepositoryAccess } from "./repository-access.ts";
import type { RepositoryLocation } from "./repository-location.ts";
import { findRestic } from "./restic-binary.ts";
import type { ResticBinary } from "./restic-binary.ts";
import { notMadeYet, requireNeverMade } from "./repository-absence.ts";
import { parseIdentity, readIdentity } from "./repository-identity.ts";
import type { RepositoryIdentity } from "./repository-identity.ts";
import { makeRepository } from "./repository-making.ts";
import { RepositoryMemory } from "./repository-memory.ts";
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
  /** How long other users' locks are waited for; a quarter of an hour unless told. */
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

/** Beyond the time for which a lock is watched that may only look stale. */
const defaultPatienceMs = 15 * 60_000;

/** A restic repository: runs restic on it, one at a time where it must be, waiting for locks, made on request. */
export class Repository {
  readonly location: RepositoryLocation;
  readonly restic: ResticBinary;
  readonly gate = new OperationGate();
  readonly #config: RepositoryConfig;
  readonly #access: RepositoryAccess;
  readonly #clock: Clock;
  readonly #cutsLike: Repository | undefined;
  readonly #env: OpenContext["env"];
  readonly #memory: RepositoryMemory;
  readonly #locks: LockObserver;
  /** Once, however many requests find that there is no repository. */
  readonly #initialized = new MadeOnce(async (call: Call) => await this.#runInit(call));

  private constructor(
    config: RepositoryConfig,
    restic: ResticBinary,
    access: RepositoryAccess,
    { clock = systemClock, cutsLike, env }: RepositoryOptions & Pick<OpenContext, "env">,
  ) {
    this.location = config.repository;
    this.restic = restic;
    this.#config = config;
    this.#access = access;
    this.#clock = clock;
    this.#cutsLike = cutsLike;
    this.#env = env;
    this.#memory = new RepositoryMemory(access.cacheFolder);
    this.#locks = new LockObserver(access.cacheFolder, clock, async (args, call) => await this.#askOfLocks(args, call));
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
    return new Repository(config, restic, access, { ...options, env: context.env });
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
    for (let isMade = false; ;) {
      const command = this.command(request, lock === "none" ? [] : wait.flags());
      const startedMs = Date.now();
      const answer = await runRestic(command, { ...request, explain: this.#explain(request) }, call);
      if (isAccepted(answer.end, request)) {
        // The cache of what is read elsewhere holds both.
        if (from === undefined)
          await this.#memory.recognize(this.location.shown, startedMs, async () => await this.#askId(call));
        return answer;
      }
      const isAbsent = faultOf(answer.end) === "no-repository" && from === undefined;
      if (!isAbsent || isMade || !this.#config.initialize) await this.#waitForLock(request, answer.end, wait, call);
      else isMade = await this.#isMade(request, call);
    }
  }

  /** What tells it apart from others, as restic reads it. */
  async identity(action: string, call: Call): Promise<RepositoryIdentity> {
    const { output } = await this.run({ action, args: ["cat", "config"], lock: "none" }, call);
    return parseIdentity(output, `${action} ${this.location.shown}`);
  }

  /** Makes it where there is none, the location says so, and nothing speaks of a former one. */
  async make(call: Call): Promise<void> {
    if (!this.#config.initialize) return;
    const look: ResticRequest = { action: "look for the repository", args: ["cat", "config"], lock: "none" };
    const { end } = await runRestic(this.command(look), look, call);
    if (faultOf(end) === "no-repository") await this.#isMade({ ...look, lock: "append" }, call);
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

  #explain({ action }: ResticRequest): (reason: unknown, end: ResticEnd) => unknown {
    const { shown, user } = this.location;
    return (reason, end) => interruptedError(reason, end, { action, repository: shown, secret: user });
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

  /**
   * Makes the repository for a request that adds to it; one that only reads makes nothing. Where it is known that there
   * never was one, what reads is told so, and nothing otherwise. Throws where something says that there was one.
   */
  async #isMade({ action, lock }: ResticRequest, call: Call): Promise<boolean> {
    const context = { env: this.#env, signal: call.signal };
    const isOwn = this.#cutsLike === undefined;
    const isNew = await requireNeverMade({ location: this.location, memory: this.#memory, isOwn, context });
    if (lock !== "append") throw notMadeYet(action, this.location, isNew);
    await this.#initialized.get(call);
    return true;
  }

  async #runInit(call: Call): Promise<void> {
    const from = this.#cutsLike;
    const request: ResticRequest =
      from === undefined
        ? { action: "initialize", args: ["init"], lock: "append" }
        : { action: "initialize", args: ["init", "--copy-chunker-params"], lock: "append", from };
    const look: ResticRequest = { action: "open what was made", args: ["cat", "config"], lock: "none" };
    const maker = {
      location: this.location,
      init: async (repository: string) => {
        const { environment, ...command } = this.command(request);
        const place = { ...environment, RESTIC_REPOSITORY: repository };
        return await runRestic({ ...command, environment: place }, request, call);
      },
      look: async () => await runRestic(this.command(look), look, call),
      errorOf: ({ end }: ResticAnswer) => this.errorOf(request, end),
    };
    // Processes of one pod need not find out by trying.
    const place = createHash("sha256").update(this.location.text).digest("hex");
    await inTurn(`init-${place}`, call.signal, async () => await makeRepository(maker, call));
    call.log.info("made a new restic repository", { repository: this.location.shown });
  }

  async #askId(call: Call): Promise<string | undefined> {
    const request: ResticRequest = { action: "look which repository it is", args: ["cat", "config"], lock: "none" };
    const { end, output } = await runRestic(this.command(request), request, call);
    return end.code === 0 ? readIdentity(output)?.id : undefined;
  }

  /** As restic documents it: `unlock` removes the locks of processes that are gone, and of no others. */
  async #removeStaleLocks(call: Call): Promise<void> {
    const host = await this.#locks.doubtfulHost(call);
    if (host !== undefined) {
      call.log.info("a lock looks stale, perhaps for a clock that is wrong: it is watched before it is removed", {
        host,
      });
      return;
    }
    const request: ResticRequest = { action: "remove stale locks", args: ["unlock"], lock: "append" };
    const { end } = await runRestic(this.command(request), request, call);
    // Whoever waits for the lock is told by its own end.
    if (end.code !== 0) call.log.info("stale locks cannot be removed", { reason: this.errorOf(request, end).message });
  }

  async #askOfLocks(args: readonly string[], call: Call): Promise<string | undefined> {
    const request: ResticRequest = { action: "look at the locks", args, lock: "none" };
    const { end, output } = await runRestic(this.command(request), request, call);
    return end.code === 0 ? output : undefined;
  }
}

function isAccepted({ code }: ResticEnd, { acceptedCodes }: ResticRequest): boolean {
  return code === 0 || (code !== null && acceptedCodes?.includes(code) === true);
}
