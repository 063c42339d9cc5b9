import { unary } from "@flotilla/host";
import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

import type { PluginSession } from "./plugin-session.ts";
import { describeAnswer, describeRequest } from "./describe-message.ts";
import { WireError } from "./wire-error.ts";

type Method<I extends DescMessage, O extends DescMessage> = DescMethod & { readonly input: I; readonly output: O };

/** Makes a unary call of the server and keeps it in the journal. Throws {@link WireError}. */
export async function callUnary<I extends DescMessage, O extends DescMessage>(
  session: PluginSession,
  method: Method<I, O>,
  request: MessageInitShape<I>,
): Promise<MessageShape<O>> {
  session.journal.sent(`${method.name} ${describeRequest(request)}`);
  try {
    const answer = await unary(session.client, method, request);
    session.journal.received(describeAnswer(answer));
    return answer;
  } catch (thrown) {
    const error = WireError.from(thrown);
    session.journal.received(String(error));
    throw error;
  }
}
