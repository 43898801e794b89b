// Colours for code: comments, strings, numbers, keywords and names of functions, by the habits of language families. Pure.

export type TokenKind = "plain" | "comment" | "string" | "number" | "keyword" | "name" | "tag";

export interface Token {
  kind: TokenKind;
  text: string;
}

interface Family {
  comments: string;
  strings: string;
  keywords: ReadonlySet<string>;
  anyCase?: boolean;
}

const words = (text: string) => new Set(text.split(" "));
const QUOTES = `"(?:\\\\.|[^"\\\\\\n])*"?|'(?:\\\\.|[^'\\\\\\n])*'?`;
const SLASHES = "\\/\\/[^\\n]*|\\/\\*[\\s\\S]*?(?:\\*\\/|$)";
const HASH = "#[^\\n]*";

const C_LIKE = words(
  "abstract as async await bool boolean break byte case catch char class const constexpr continue def default defer " +
    "delete do double else enum export extends extern false final finally float fn for from func function go goto if " +
    "impl implements import in instanceof int interface let long loop match mod move mut namespace new nil null " +
    "nullptr of operator override package private protected pub public readonly ref return self short signed sizeof " +
    "static std string struct super switch template this throw throws trait true try type typedef typename typeof " +
    "undefined union unsafe unsigned use using val var virtual void volatile when where while with yield",
);
const FAMILIES: Record<string, Family> = {
  c: { comments: SLASHES, strings: `${QUOTES}|\`(?:\\\\.|[^\`\\\\])*\`?`, keywords: C_LIKE },
  python: {
    comments: HASH,
    strings: `[rbfuRBFU]{0,2}(?:"""[\\s\\S]*?(?:"""|$)|'''[\\s\\S]*?(?:'''|$)|${QUOTES})`,
    keywords: words(
      "and as assert async await break case class continue def del elif else except False finally for from global if " +
        "import in is lambda match None nonlocal not or pass raise return self True try while with yield",
    ),
  },
  shell: {
    comments: "(?<=^|\\s)#[^\\n]*",
    strings: QUOTES,
    keywords: words(
      "alias break case cd continue do done echo elif else esac eval exec exit export fi for function if in local " +
        "read return set shift source sudo then trap unset until while",
    ),
  },
  data: { comments: `${SLASHES}|(?<=^|\\s)#[^\\n]*`, strings: QUOTES, keywords: words("true false null yes no on off") },
  sql: {
    comments: "--[^\\n]*|\\/\\*[\\s\\S]*?(?:\\*\\/|$)",
    strings: QUOTES,
    anyCase: true,
    keywords: words(
      "add all alter and as asc begin between by case check column commit constraint create cross database default " +
        "delete desc distinct drop else end exists foreign from full group having if in index inner insert into is " +
        "join key left like limit not null offset on or order outer primary references right rollback select set " +
        "table then transaction trigger union unique update using values view when where with",
    ),
  },
  markup: { comments: "<!--[\\s\\S]*?(?:-->|$)", strings: QUOTES, keywords: words("") },
};
const NAMES: Record<string, string> = {
  python: "py python python3 ipython",
  shell: "bash console ini makefile powershell ps1 sh shell toml zsh dockerfile ruby rb perl r",
  data: "json json5 jsonc yaml yml",
  sql: "mysql postgres postgresql sql sqlite",
  markup: "html svg vue xml xhtml",
  c:
    "c c++ c# cc cpp cs csharp css dart go golang h hpp java javascript js jsx kotlin kt less objc php rs rust scala " +
    "scss swift ts tsx typescript zig",
};
const BY_NAME = new Map(Object.entries(NAMES).flatMap(([family, all]) => all.split(" ").map((name) => [name, family])));
const LONGEST = 200_000;

const patterns = new Map<string, RegExp>();

function patternOf(name: string, family: Family): RegExp {
  let pattern = patterns.get(name);
  if (pattern === undefined) {
    const tag = name === "markup" ? "<\\/?[A-Za-z][\\w:-]*|\\/?>" : "(?!)";
    pattern = new RegExp(
      `(?<comment>${family.comments})|(?<tag>${tag})|(?<string>${family.strings})|` +
        "(?<number>(?<![\\p{L}\\p{N}_])(?:0[xXbBoO][\\da-fA-F_]+|\\d[\\d_]*(?:\\.\\d+)?(?:[eE][+-]?\\d+)?)\\p{L}{0,3}(?![\\p{L}\\p{N}_]))|" +
        "(?<word>[\\p{L}_$][\\p{L}\\p{N}_$]*)(?=(?<call>\\s?\\()?)",
      "gu",
    );
    patterns.set(name, pattern);
  }
  return pattern;
}

/** The pieces of the code; joined they are the code itself. An unknown language is one plain piece. */
export function highlight(code: string, language: string): Token[] {
  const name = BY_NAME.get(language.toLowerCase());
  const family = name === undefined ? undefined : FAMILIES[name];
  if (name === undefined || family === undefined || code.length > LONGEST) return [{ kind: "plain", text: code }];
  const found: Token[] = [];
  const add = (kind: TokenKind, text: string) => {
    const last = found.at(-1);
    if (text === "") return;
    if (last?.kind === kind) last.text += text;
    else found.push({ kind, text });
  };
  let end = 0;
  for (const match of code.matchAll(patternOf(name, family))) {
    if (match[0] === "") continue;
    add("plain", code.slice(end, match.index));
    end = match.index + match[0].length;
    add(kindOf(match.groups ?? {}, family), match[0]);
  }
  add("plain", code.slice(end));
  return found;
}

function kindOf(part: Record<string, string | undefined>, family: Family): TokenKind {
  if (part["comment"] !== undefined) return "comment";
  if (part["tag"] !== undefined) return "tag";
  if (part["string"] !== undefined) return "string";
  if (part["number"] !== undefined) return "number";
  const word = part["word"] ?? "";
  if (family.keywords.has(family.anyCase ? word.toLowerCase() : word)) return "keyword";
  return part["call"] === undefined ? "plain" : "name";
}
