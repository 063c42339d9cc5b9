import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { loopbackCertificate } from "./loopback-certificate.ts";
import { startStubServer } from "./stub-server.ts";
import type { SeenRequest, StubAnswer } from "./stub-server.ts";

/** What a pod of the server's knows of a stub of the Kubernetes API. */
export interface StubKubernetes {
  readonly env: Readonly<Record<string, string>>;
  /** With its token and the API's certificate. */
  readonly serviceAccountFolder: string;
}

/** Starts a stub of the Kubernetes API, which answers as the test says whoever has the token, and ends with the test. */
export async function startStubKubernetes(
  t: TestContext,
  answer: (request: SeenRequest) => StubAnswer,
): Promise<StubKubernetes> {
  const serviceAccountFolder = await mkdtemp(join(tmpdir(), "service-account-"));
  t.after(async () => await rm(serviceAccountFolder, { recursive: true }));
  await writeFile(join(serviceAccountFolder, "token"), "TOKEN\n");
  await writeFile(join(serviceAccountFolder, "ca.crt"), loopbackCertificate.cert);
  const isKnown = ({ headers }: SeenRequest): boolean => headers["authorization"] === "Bearer TOKEN";
  const { url } = await startStubServer(
    t,
    (request) => (isKnown(request) ? answer(request) : { status: 401 }),
    "https",
  );
  const env = {
    KUBERNETES_SERVICE_HOST: url.hostname,
    KUBERNETES_SERVICE_PORT: url.port,
    VELERO_NAMESPACE: "velero",
  };
  return { env, serviceAccountFolder };
}
