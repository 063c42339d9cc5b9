import { startS3, startFaultProxy } from "./index.ts";
import { fork } from "node:child_process";
import * as S from "@aws-sdk/client-s3";
import { mkdtempSync, rmSync } from "node:fs";
if (process.argv[2] === "server") {
  const dir = mkdtempSync("/tmp/s3b-");
  const s3 = await startS3({ stateDir: dir, buckets: ["b"] });
  const proxy = await startFaultProxy({ targetPort: s3.port });
  process.send!({ url: s3.url, proxy: proxy.url });
  process.on("message", (m) => { if (m === "cpu") process.send!({ cpu: process.cpuUsage(), rss: process.memoryUsage().rss }); else { rmSync(dir, { recursive: true }); process.exit(0); } });
} else {
  const child = fork(process.argv[1]!, ["server"]);
  const next = () => new Promise<any>((r) => child.once("message", r));
  const { url, proxy } = await next();
  const cpu = async () => { const p = next(); child.send("cpu"); const m = await p; return { s: (m.cpu.user + m.cpu.system) / 1e6, rss: Math.round(m.rss / 2 ** 20) }; };
  for (const [name, endpoint] of [["direct", url], ["proxied", proxy]] as const) {
    const c = new S.S3Client({ endpoint, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "testsecret" }, forcePathStyle: true });
    const part = Buffer.alloc(8 << 20, 7); const n = 128;
    let before = await cpu(); let t = performance.now();
    const { UploadId } = await c.send(new S.CreateMultipartUploadCommand({ Bucket: "b", Key: "big", ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" }));
    const Parts: any[] = []; let i = 0;
    const work = async () => { while (i < n) { const PartNumber = ++i; const r = await c.send(new S.UploadPartCommand({ Bucket: "b", Key: "big", UploadId, PartNumber, Body: part, ChecksumAlgorithm: "CRC32" })); Parts[PartNumber - 1] = { PartNumber, ETag: r.ETag }; } };
    await Promise.all([work(), work(), work(), work()]);
    const ct = performance.now();
    await c.send(new S.CompleteMultipartUploadCommand({ Bucket: "b", Key: "big", UploadId, MultipartUpload: { Parts } }));
    let after = await cpu();
    console.log(name, "put 1 GiB", ((performance.now() - t) / 1000).toFixed(2), "s; complete", (performance.now() - ct).toFixed(0), "ms; server cpu", (after.s - before.s).toFixed(2), "s rss", after.rss);
    before = await cpu(); t = performance.now();
    const g = await c.send(new S.GetObjectCommand({ Bucket: "b", Key: "big" })); let got = 0;
    for await (const chunk of g.Body as any) got += chunk.length;
    after = await cpu();
    console.log(name, "get", got / 2 ** 20, "MiB", ((performance.now() - t) / 1000).toFixed(2), "s; server cpu", (after.s - before.s).toFixed(2), "s rss", after.rss);
  }
  child.send("end"); process.exit(0);
}
