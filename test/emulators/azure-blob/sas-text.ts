/** What a shared access signature covers beside its own parameters. */
export interface SasSubject {
  readonly account: string;
  readonly container: string;
  readonly blob: string | undefined;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: ReadonlyMap<string, string>;
}

/** Writes the string to sign of an account SAS. */
export function accountSasText(query: ReadonlyMap<string, string>, account: string): string {
  const get = reader(query);
  const scope = get("sv") >= "2020-12-06" ? [get("ses")] : [];
  const fields = ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv"].map(get);
  return [account, ...fields, ...scope, ""].join("\n");
}

/** Writes the string to sign of a service SAS that is signed with an account key. */
export function serviceSasText(subject: SasSubject): string {
  const get = reader(subject.query);
  return [
    ...["sp", "st", "se"].map(get),
    canonicalName(subject, get("sr")),
    ...["si", "sip", "spr", "sv"].map(get),
    ...resourceFields(get),
    ...headerFields(get),
  ].join("\n");
}

/** Writes the string to sign of a SAS that is signed with a user delegation key. */
export function delegationSasText(subject: SasSubject): string {
  const get = reader(subject.query);
  const version = get("sv");
  return [
    ...["sp", "st", "se"].map(get),
    canonicalName(subject, get("sr")),
    ...["skoid", "sktid", "skt", "ske", "sks", "skv"].map(get),
    ...(version >= "2020-02-10" ? ["saoid", "suoid", "scid"].map(get) : []),
    ...(version >= "2025-07-05" ? ["skdutid", "sduoid"].map(get) : []),
    ...["sip", "spr", "sv"].map(get),
    ...resourceFields(get),
    ...(version >= "2026-04-06" ? [signedHeaders(subject, get("srh")), signedQueries(subject, get("srq"))] : []),
    ...headerFields(get),
  ].join("\n");
}

type Get = (name: string) => string;

function reader(query: ReadonlyMap<string, string>): Get {
  return (name) => query.get(name) ?? "";
}

function canonicalName(subject: SasSubject, resource: string): string {
  const container = `/blob/${subject.account}/${subject.container}`;
  return resource === "c" || subject.blob === undefined ? container : `${container}/${subject.blob}`;
}

function resourceFields(get: Get): string[] {
  const version = get("sv");
  if (version < "2018-11-09") return [];
  const times: Readonly<Record<string, string>> = { bs: get("snapshot"), bv: get("versionid") };
  return [get("sr"), times[get("sr")] ?? "", ...(version >= "2020-12-06" ? [get("ses")] : [])];
}

function headerFields(get: Get): string[] {
  return ["rscc", "rscd", "rsce", "rscl", "rsct"].map(get);
}

function signedHeaders(subject: SasSubject, names: string): string {
  const list = names === "" ? [] : names.split(",");
  return list.map((name) => `${name}:${subject.headers.get(name.toLowerCase()) ?? ""}\n`).join("");
}

function signedQueries(subject: SasSubject, names: string): string {
  const list = names === "" ? [] : names.split(",");
  return list.map((name) => `\n${name}:${subject.query.get(name) ?? ""}`).join("");
}
