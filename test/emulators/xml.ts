/** An element of a request document: its local name, its child elements, its text. */
export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** Thrown for a document that is not well-formed, or lacks what it must have. */
export class XmlError extends Error {
  override readonly name = "XmlError";
}

/** Writes a document around its root element. */
export function document(root: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}`;
}

/** Writes an element of already written children. */
export function element(name: string, children: readonly string[], attributes = ""): string {
  return `<${name}${attributes}>${children.join("")}</${name}>`;
}

/** Writes an element of text; nothing when the value is absent. */
export function leaf(name: string, value: string | number | boolean | undefined): string {
  return value === undefined ? "" : `<${name}>${escapeText(String(value))}</${name}>`;
}

/** Reads a document and returns its root element. */
export function parseXml(source: string): XmlElement {
  const tokens = source.matchAll(
    /<!\[CDATA\[([\s\S]*?)\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<(\/?)([^\s<>/]+)([^<>]*?)(\/?)>|([^<]+)/g,
  );
  const top: Building = { name: "", children: [], text: "" };
  const open: Building[] = [top];
  let end = 0;
  for (const token of tokens) {
    if (token.index !== end) throw new XmlError("stray character");
    end = token.index + token[0].length;
    const current = open.at(-1);
    if (current === undefined) throw new XmlError("content after the root element");
    const [, cdata, closing, tag, , selfClosing, text] = token;
    if (cdata !== undefined) current.text += cdata;
    else if (text !== undefined) current.text += unescapeText(text);
    else if (tag !== undefined && closing === "/") closeElement(open, tag);
    else if (tag !== undefined) openElement(open, current, tag, selfClosing === "/");
  }
  const [root, ...others] = top.children;
  if (end !== source.length || open.length !== 1 || root === undefined || others.length > 0) {
    throw new XmlError("not one complete element");
  }
  return root;
}

/** Returns the text of the only child with a name; undefined when there is none. */
export function childText(parent: XmlElement, name: string): string | undefined {
  return parent.children.find((child) => child.name === name)?.text;
}

/** Returns the text of a child that must be there. */
export function requiredText(parent: XmlElement, name: string): string {
  const text = childText(parent, name);
  if (text === undefined) throw new XmlError(`${parent.name} has no ${name}`);
  return text;
}

/** Returns all children with a name. */
export function childrenNamed(parent: XmlElement, name: string): readonly XmlElement[] {
  return parent.children.filter((child) => child.name === name);
}

interface Building {
  name: string;
  children: Building[];
  text: string;
}

function openElement(open: Building[], parent: Building, tag: string, isEmpty: boolean): void {
  const child: Building = { name: localName(tag), children: [], text: "" };
  parent.children.push(child);
  if (!isEmpty) open.push(child);
}

function closeElement(open: Building[], tag: string): void {
  const closed = open.pop();
  if (open.length === 0 || closed?.name !== localName(tag)) throw new XmlError(`unexpected end of ${tag}`);
}

function localName(tag: string): string {
  return tag.slice(tag.indexOf(":") + 1);
}

function escapeText(text: string): string {
  // Control characters are not legal in XML 1.0; S3 writes them as references all the same.
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replaceAll(/[&<>"\u0000-\u001f\u007f]/g, (c) => named.get(c) ?? `&#x${c.charCodeAt(0).toString(16)};`);
}

const named = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
]);
const entities = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);

function unescapeText(text: string): string {
  return text.replaceAll(/&([^;&]*);?/g, (whole, name: string) => {
    const entity = entities.get(name);
    if (entity !== undefined) return entity;
    const match = /^#(?:x([\da-fA-F]+)|(\d+))$/.exec(name);
    if (match === null || !whole.endsWith(";")) throw new XmlError(`unknown entity ${whole}`);
    return String.fromCodePoint(match[1] === undefined ? Number(match[2]) : Number.parseInt(match[1], 16));
  });
}
