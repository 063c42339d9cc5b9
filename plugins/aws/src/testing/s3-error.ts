import type { StubAnswer } from "@flotilla/sdk/testing";

/** An S3 error answer. */
export function s3Error(status: number, code: string, extra = "", headers: StubAnswer["headers"] = {}): StubAnswer {
  return {
    status,
    headers: { "content-type": "application/xml", "x-amz-request-id": "REQ1", ...headers },
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>m</Message>${extra}</Error>`,
  };
}
