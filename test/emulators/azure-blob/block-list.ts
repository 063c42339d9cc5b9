import { join } from "node:path";

import { FileSink, fillSink } from "../file-sink.ts";
import { readSlice } from "../file-slice.ts";
import type { FileSlice } from "../file-slice.ts";
import { document, element, leaf, parseXml } from "../xml.ts";
import { BlobError, invalidQuery } from "./blob-error.ts";
import type { BlobEncryption, BlobMeta, CommittedBlock } from "./blob-meta.ts";
import { httpDate, readSettings } from "./blob-settings.ts";
import { receiveDocument, receivedHeaders } from "./body.ts";
import { blobNameOf, containerOf } from "./call.ts";
import type { Answer, Call } from "./call.ts";
import { checkReadConditions, checkWriteConditions } from "./conditions.ts";
import type { Container } from "./container.ts";
import { checkSameEncryption } from "./encryption.ts";
import { currentBlob, findBlob } from "./find-blob.ts";
import { maxBlocks } from "./limits.ts";
import { checkOverwrite, newBlob, writtenHeaders } from "./new-blob.ts";
import type { StagedBlock, StagedBlocks } from "./staged-blocks.ts";

/** Put Block List. */
export async function putBlockList(call: Call): Promise<Answer> {
  const container = containerOf(call);
  const name = blobNameOf(call);
  const settings = readSettings(call, container);
  const document = await receiveDocument(call);
  const wanted = readBlockList(document.text);
  return await call.state.withStaging(async (folder) => {
    await currentBlob(call, containerOf(call), name);
    const existing = container.current(name);
    // Between the last check and the publication no other request may come, so a move needs no further one.
    const check = (container: Container): void => {
      checkWriteConditions(call.headers, container.current(name));
      checkOverwrite(call, container.current(name));
    };
    check(container);
    const staged = container.staged(name, call.now);
    const blocks = wanted.map((one) => resolveBlock(one, staged, existing));
    for (const block of blocks) checkSameEncryption(settings.encryption, block.encryption);
    const destination = join(folder, "data");
    const waiting = blocks.flatMap((block) => block.staged ?? []);
    if (waiting.length !== blocks.length || !staged.moveTo(waiting, destination)) {
      const copied = copyBlocks(container, staged, existing, blocks, destination);
      // A list of another upload that was committed meanwhile took the blocks with it.
      await copied.catch((cause: unknown) => {
        checkStaged(staged, waiting);
        throw cause;
      });
      checkStaged(staged, waiting);
      check(containerOf(call));
    }
    const size = blocks.reduce((sum, block) => sum + block.size, 0);
    const list = blocks.map(({ id, size }) => ({ id, size }));
    const meta = newBlob(call, container, { ...settings, name, size, blocks: list });
    container.publish(meta, folder);
    container.clearStaged(name);
    return { status: 201, headers: { ...writtenHeaders(meta), ...receivedHeaders(document) } };
  });
}

/** Get Block List. */
export async function getBlockList(call: Call): Promise<Answer> {
  const container = containerOf(call);
  const name = blobNameOf(call);
  const kind = call.query.get("blocklisttype") ?? "committed";
  if (!["committed", "uncommitted", "all"].includes(kind)) throw invalidQuery("blocklisttype", kind);
  const staged = container.staged(name, call.now);
  const isOnlyStaged = container.current(name) === undefined && !staged.isEmpty && !call.query.has("snapshot");
  const meta = isOnlyStaged ? undefined : (await findBlob(call, container, name, call.query)).meta;
  const lists = [
    kind === "uncommitted" ? "" : writeBlocks("CommittedBlocks", meta?.blocks ?? []),
    kind === "committed" ? "" : writeBlocks("UncommittedBlocks", staged.blocks()),
  ];
  const body = document(element("BlockList", lists));
  if (meta === undefined) return { headers: { "x-ms-blob-content-length": 0 }, body };
  checkReadConditions(call.headers, meta);
  const lastModified = httpDate(meta.lastModified);
  return { headers: { etag: meta.etag, "last-modified": lastModified, "x-ms-blob-content-length": meta.size }, body };
}

interface WantedBlock {
  readonly kind: string;
  readonly id: string;
}

interface FoundBlock extends CommittedBlock {
  readonly encryption: BlobEncryption;
  readonly staged?: StagedBlock;
  /** Where it begins in the committed blob. */
  readonly offset?: number;
}

function readBlockList(source: string): readonly WantedBlock[] {
  const root = parseXml(source);
  if (root.name !== "BlockList") throw new BlobError("InvalidXmlDocument");
  const wanted = root.children.map(({ name, text }) => ({ kind: name, id: text.trim() }));
  if (wanted.length > maxBlocks) throw new BlobError("BlockListTooLong");
  if (wanted.some(({ kind }) => !["Committed", "Uncommitted", "Latest"].includes(kind))) {
    throw new BlobError("InvalidXmlDocument");
  }
  return wanted;
}

function resolveBlock(wanted: WantedBlock, staged: StagedBlocks, existing: BlobMeta | undefined): FoundBlock {
  const waiting = wanted.kind === "Committed" ? undefined : staged.find(wanted.id);
  if (waiting !== undefined) {
    return { id: waiting.id, size: waiting.size, encryption: waiting.encryption, staged: waiting };
  }
  let offset = 0;
  for (const block of wanted.kind === "Uncommitted" ? [] : (existing?.blocks ?? [])) {
    if (block.id === wanted.id) return { ...block, encryption: existing?.encryption ?? {}, offset };
    offset += block.size;
  }
  throw new BlobError("InvalidBlockList");
}

function checkStaged(staged: StagedBlocks, blocks: readonly StagedBlock[]): void {
  if (blocks.some((block) => staged.find(block.id) !== block)) throw new BlobError("InvalidBlockList");
}

async function copyBlocks(
  container: Container,
  staged: StagedBlocks,
  existing: BlobMeta | undefined,
  blocks: readonly FoundBlock[],
  destination: string,
): Promise<void> {
  const committed = existing === undefined ? "" : container.blobs.dataPath(existing);
  const sliceOf = (block: FoundBlock): FileSlice =>
    block.staged === undefined
      ? { path: committed, start: block.offset ?? 0, length: block.size }
      : staged.slice(block.staged);
  await fillSink(await FileSink.open(destination), async (sink) => {
    for (const block of blocks) for await (const chunk of readSlice(sliceOf(block))) await sink.write(chunk);
  });
}

function writeBlocks(name: string, blocks: readonly CommittedBlock[]): string {
  return element(
    name,
    blocks.map(({ id, size }) => element("Block", [leaf("Name", id), leaf("Size", size)])),
  );
}
