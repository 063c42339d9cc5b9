import { isKind, PluginError } from "@flotilla/sdk/plugin";
import type { Call } from "@flotilla/sdk/plugin";
import { awaitState } from "@flotilla/sdk/volumes";
import type { AwaitStateOptions, Observed } from "@flotilla/sdk/volumes";
import type { EbsApi } from "./ebs-api.ts";

/** How long, and in tests on which clock. */
export type WaitOptions = Pick<AwaitStateOptions<void>, "timeoutMs" | "clock" | "random">;

// A resource that was just made is not known to every server of EC2 at once.
const looksBeforeKnown = 5;

const kmsRemedy = "check that the identity and the EBS service may use the KMS key";

/** Waits until a snapshot is completed. A failed one throws. */
export async function awaitSnapshot(api: EbsApi, snapshotId: string, options: WaitOptions, call: Call): Promise<void> {
  const what = `snapshot ${snapshotId} to complete`;
  const observe = async (call: Call): Promise<Observed<void>> => {
    const { State, Progress, StateMessage } = await api.describeSnapshot(snapshotId, call);
    if (State === "completed") return { done: true, value: undefined };
    if (State === "pending") return { done: false, progress: `pending, ${Progress ?? "0%"}` };
    throw failed(what, State, StateMessage);
  };
  await awaitState({ ...options, what, observe: tolerateUnknown(observe) }, call);
}

/** Waits until a volume is available. A failed one throws: one whose KMS key is refused vanishes again. */
export async function awaitVolume(api: EbsApi, volumeId: string, options: WaitOptions, call: Call): Promise<void> {
  const what = `volume ${volumeId} to become available`;
  const observe = async (call: Call): Promise<Observed<void>> => {
    const { State } = await api.describeVolume(volumeId, call);
    if (State === "available" || State === "in-use") return { done: true, value: undefined };
    if (State === "creating") return { done: false, progress: State };
    throw failed(what, State, undefined);
  };
  await awaitState({ ...options, what, observe: tolerateUnknown(observe) }, call);
}

function tolerateUnknown(observe: (call: Call) => Promise<Observed<void>>): (call: Call) => Promise<Observed<void>> {
  let looksLeft = looksBeforeKnown;
  return async (call) => {
    looksLeft -= 1;
    try {
      const seen = await observe(call);
      looksLeft = 0;
      return seen;
    } catch (error) {
      if (!isKind(error, "not-found")) throw error;
      if (looksLeft > 0) return { done: false, progress: "not known yet" };
      throw new PluginError(`${error.message}; it vanished while it was made; ${kmsRemedy}`, {
        kind: "denied",
        code: error.code,
        requestId: error.requestId,
        cause: error,
      });
    }
  };
}

function failed(what: string, state: string | undefined, reason: string | undefined): PluginError {
  const detail = reason === undefined || reason === "" ? "" : `: ${reason}`;
  // What EBS makes after its answer fails for the lack of a permission on the KMS key, as far as AWS documents it.
  return new PluginError(`waiting for ${what}: it ended in the state "${state ?? ""}"${detail}; ${kmsRemedy}`, {
    kind: "denied",
    code: state,
  });
}
