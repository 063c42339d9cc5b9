/** What a request asks for. */
export interface Route {
  readonly operation: string;
  readonly bucket: string;
  readonly object: string;
  readonly destination: { readonly bucket: string; readonly object: string } | undefined;
  readonly isXml: boolean;
}

const prefix = /^\/(?:(upload|resumable\/upload|download)\/)?storage\/v1\/b(?:\/|$)/;

/** Finds what a request asks for; the operation `Unknown` where it is nothing that is known. */
export function findRoute(method: string, rawPath: string, query: ReadonlyMap<string, string>): Route {
  const match = prefix.exec(rawPath);
  if (match === null) return xmlRoute(method, rawPath);
  const [matched, kind = ""] = match;
  // Slashes in names are encoded in the paths of the JSON API; a plain one ends a name.
  const [bucket = "", collection, object = "", verb, ...more] = rawPath.slice(matched.length).split("/").map(decode);
  const [, targetBucket, , targetObject] = more;
  const hasTarget = verb === "rewriteTo" || verb === "copyTo";
  const destination =
    hasTarget && targetBucket !== undefined ? { bucket: targetBucket, object: targetObject ?? "" } : undefined;
  const route = { bucket, object, destination, isXml: false };
  if (kind.endsWith("upload")) return { ...route, operation: uploadOperation(method, collection, query) };
  switch (collection) {
    case undefined:
      return { ...route, operation: bucketOperation(method, bucket) };
    case "o":
      return { ...route, operation: objectOperation(method, object, verb, query) };
    case "iam":
      return {
        ...route,
        object: "",
        operation: `${method} ${object}` === "GET testPermissions" ? "TestPermissions" : "Unknown",
      };
    default:
      return { ...route, operation: "Unknown" };
  }
}

function xmlRoute(method: string, rawPath: string): Route {
  const at = rawPath.indexOf("/", 1);
  const bucket = decode(at === -1 ? rawPath.slice(1) : rawPath.slice(1, at));
  const object = at === -1 ? "" : decode(rawPath.slice(at + 1));
  const isRead = (method === "GET" || method === "HEAD") && object !== "";
  return { operation: isRead ? "XmlGetObject" : "XmlUnknown", bucket, object, destination: undefined, isXml: true };
}

function uploadOperation(method: string, collection: string | undefined, query: ReadonlyMap<string, string>): string {
  if (collection !== "o") return "Unknown";
  if (!query.has("upload_id")) return method === "POST" ? "InsertObject" : "Unknown";
  if (method === "DELETE") return "CancelUpload";
  return method === "PUT" || method === "POST" ? "ContinueUpload" : "Unknown";
}

function bucketOperation(method: string, bucket: string): string {
  const name = `${method} ${bucket === "" ? "all" : "one"}`;
  const known: Readonly<Record<string, string>> = {
    "GET all": "ListBuckets",
    "POST all": "InsertBucket",
    "GET one": "GetBucket",
    "PATCH one": "PatchBucket",
    "DELETE one": "DeleteBucket",
  };
  return known[name] ?? "Unknown";
}

function objectOperation(
  method: string,
  object: string,
  verb: string | undefined,
  query: ReadonlyMap<string, string>,
): string {
  if (object === "") return method === "GET" ? "ListObjects" : "Unknown";
  if (method === "POST") {
    const verbs: Readonly<Record<string, string>> = {
      rewriteTo: "RewriteObject",
      copyTo: "CopyObject",
      compose: "ComposeObject",
    };
    return verbs[verb ?? ""] ?? "Unknown";
  }
  if (verb !== undefined) return "Unknown";
  if (method === "GET") return query.get("alt") === "media" ? "ReadObject" : "GetObject";
  const methods: Readonly<Record<string, string>> = {
    PATCH: "PatchObject",
    PUT: "UpdateObject",
    DELETE: "DeleteObject",
  };
  return methods[method] ?? "Unknown";
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
