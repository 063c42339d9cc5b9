import type { TokenAuthority } from "../azure-identity/tokens.ts";
import { splitTarget } from "../http-listener.ts";
import { checkToken } from "./authenticate.ts";
import { BlobError } from "./blob-error.ts";
import type { Authorization, SourceBlob } from "./call.ts";
import type { Outages } from "./outages.ts";
import { readAddress } from "./route.ts";
import { checkSas } from "./sas.ts";
import { roleOf } from "./state.ts";
import type { BlobState, StorageAccount } from "./state.ts";

/** The copy for which a source is to be read. */
export interface SourceReader {
  readonly state: BlobState;
  readonly tokens: TokenAuthority | undefined;
  readonly outages: Outages;
  readonly now: Date;
  readonly isSecure: boolean;
  readonly port: number;
  /** The account and the proof of the copy itself: enough for Copy Blob within one account. */
  readonly account: StorageAccount;
  readonly authorization: Authorization;
  readonly operation: string;
}

/** Finds a source in this stand-in and checks that it may be read; undefined where the URL leads elsewhere. */
export function authorizeSource(reader: SourceReader, url: URL, bearer: string | undefined): SourceBlob | undefined {
  const { state } = reader;
  const isHere = Number(url.port) === reader.port && /^(127\.0\.0\.1|(.+\.)?localhost)$/.test(url.hostname);
  if (!isHere) return undefined;
  const target = splitTarget(url.pathname + url.search);
  const address = readAddress(url.host, target.rawPath, (name) => state.account(name) !== undefined);
  const account = state.account(address.account);
  const { container, blob } = address;
  if (account === undefined || container === undefined || blob === undefined) throw new BlobError("ResourceNotFound");
  reader.outages.checkSource(account);
  const query = new Map(target.query);
  const source = { account, containerName: container, blobName: blob, query };
  checkProof(reader, source, bearer);
  return source;
}

function checkProof(reader: SourceReader, source: SourceBlob, bearer: string | undefined): void {
  const { account, query } = source;
  if (bearer !== undefined) {
    const principal = checkToken(bearer.replace(/^Bearer /, ""), account, reader.tokens);
    const role = roleOf(account, principal.objectId);
    if (role === "delegator" || role === "none") throw new BlobError("AuthorizationPermissionMismatch");
  } else if (query.has("sig")) {
    const { containerName: container, blobName: blob } = source;
    const request = { container, blob, query, headers: new Map<string, string>(), isSecure: reader.isSecure };
    const from = { remoteAddress: "127.0.0.1", resourceType: "o" };
    const { permissions } = checkSas({ ...request, ...from }, account, reader.state, reader.now);
    if (!permissions.has("r")) throw new BlobError("AuthorizationPermissionMismatch");
  } else {
    const isOwn = account.name === reader.account.name && reader.authorization.kind !== "sas";
    if (!isOwn || reader.operation !== "CopyBlob") throw new BlobError("NoAuthenticationInformation");
  }
}
