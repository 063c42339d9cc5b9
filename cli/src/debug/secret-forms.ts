/** Shorter texts are found everywhere; whoever has such a secret has none. */
const minLength = 4;

/** Every text in which a secret may be met: as it is, escaped in JSON, XML or a shell, in a URL, in base64, once or twice, and in hex. */
export function secretForms(secret: Uint8Array): readonly string[] {
  const bytes = Buffer.from(secret);
  const text = bytes.toString("utf8");
  const isText = Buffer.from(text).equals(bytes);
  const forms = [
    ...(isText ? textForms(text) : []),
    ...base64Forms(bytes),
    // A Secret of the cluster holds in base64 what may be in base64 already.
    ...base64Forms(Buffer.from(bytes.toString("base64"))),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
  ];
  return [...new Set(forms)].filter((form) => form.length >= minLength);
}

function textForms(text: string): readonly string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const encoded = encodeURIComponent(text);
  // What encodeURIComponent leaves alone, others encode.
  const strict = encoded.replaceAll(/[!'()*~]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
  const inUrls = [encoded, strict].flatMap((form) => [form, form.replaceAll("%20", "+"), lowerCaseEscapes(form)]);
  const inJson = [json, escapedByGo(json), escapedToAscii(json)].flatMap((form) => [
    form,
    JSON.stringify(form).slice(1, -1),
  ]);
  return [text, ...inJson, ...quotedForms(text), ...inUrls, ...inUrls.map(encodeURIComponent)];
}

/** The server's JSON: Go escapes what HTML would take for markup. */
function escapedByGo(json: string): string {
  return json.replaceAll(/[<>&\u2028\u2029]/g, unicodeEscape);
}

/** As Python and others write it. */
function escapedToAscii(json: string): string {
  return json.replaceAll(/[^\0-\u007F]/g, unicodeEscape);
}

function unicodeEscape(unit: string): string {
  return Array.from({ length: unit.length }, (_, index) => unit.charCodeAt(index))
    .map((code) => `\\u${code.toString(16).padStart(4, "0")}`)
    .join("");
}

/** Between single quotation marks of YAML and of a shell, and in XML. */
function quotedForms(text: string): readonly string[] {
  const markup = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return [
    text.replaceAll("'", "''"),
    text.replaceAll("'", `'\\''`),
    markup,
    markup.replaceAll('"', "&quot;").replaceAll("'", "&apos;"),
    markup.replaceAll('"', "&#34;").replaceAll("'", "&#39;"),
  ];
}

function lowerCaseEscapes(text: string): string {
  return text.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
}

/** In the middle of something longer, a secret has one of three forms in base64; of each, what no neighbour changes. */
function base64Forms(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replaceAll("=", "");
    const end = (before + bytes.length) % 3 === 0 ? padded.length : padded.length - 1;
    const middle = padded.slice(Math.ceil((before * 8) / 6), end);
    // A few letters are an accident.
    if (middle.length < 8) return [];
    const forUrls = middle.replaceAll("+", "-").replaceAll("/", "_");
    return [middle, forUrls, encodeURIComponent(middle)];
  });
}
