import { expect, test } from "vitest";
import { type Block, blocks, extend, NOTHING } from "../src/markdown/blocks";
import { safeUrl, type Span, spans } from "../src/markdown/spans";

const paragraph = (text: string): Block => ({ kind: "paragraph", text });
const item = (text: string, ...more: Block[]) => ({ blocks: [paragraph(text), ...more], ticked: null });
const list = (ordered: boolean, start: number, ...items: ReturnType<typeof item>[]): Block => ({
  kind: "list",
  ordered,
  start,
  items,
});
const text = (words: string): Span => ({ kind: "text", text: words });

test("an answer becomes headings, paragraphs, lists and code", () => {
  const answer = "## 제목\n첫 문단\n둘째 줄\n\n- 하나\n- 둘\n  이어서\n1. one\n\n```py\n# 코드\n\nx\n```\n끝";
  expect(blocks(answer)).toEqual([
    { kind: "heading", level: 2, text: "제목" },
    paragraph("첫 문단\n둘째 줄"),
    list(false, 1, item("하나"), item("둘\n이어서")),
    list(true, 1, item("one")),
    { kind: "code", language: "py", text: "# 코드\n\nx", open: false },
    paragraph("끝"),
  ]);
});

test("lists nest, keep their numbers over blank lines, and hold code and tasks", () => {
  const answer = "3. 셋\n   - 안\n   - 안 둘\n\n4. 넷\n   ```js\n   let x\n   ```\n- [x] 했다\n- [ ] 할 일";
  expect(blocks(answer)).toEqual([
    list(true, 3, item("셋", list(false, 1, item("안"), item("안 둘"))), item("넷", { kind: "code", language: "js", text: "let x", open: false })),
    {
      kind: "list",
      ordered: false,
      start: 1,
      items: [
        { blocks: [paragraph("했다")], ticked: true },
        { blocks: [paragraph("할 일")], ticked: false },
      ],
    },
  ]);
});

test("a year at the beginning of a line is no list", () => {
  expect(blocks("서울 올림픽은\n1988. 그해 가을에")).toEqual([paragraph("서울 올림픽은\n1988. 그해 가을에")]);
});

test("tables have their sides, and short rows are filled", () => {
  expect(blocks("| 도시 | 인구 |\n|:-----|----:|\n| 서울 | 940만 |\n| 부산 \\| 항 |\n\n끝")).toEqual([
    {
      kind: "table",
      align: ["left", "right"],
      head: ["도시", "인구"],
      rows: [["서울", "940만"], ["부산 | 항", ""]],
    },
    paragraph("끝"),
  ]);
});

test("quotes, rules and formulas are blocks", () => {
  expect(blocks("> 인용\n> - 목록\n\n---\n\n$$\nx^2\n$$\n\\[ y \\]")).toEqual([
    { kind: "quote", blocks: [paragraph("인용"), list(false, 1, item("목록"))] },
    { kind: "rule" },
    { kind: "math", text: "x^2", open: false },
    { kind: "math", text: "y", open: false },
  ]);
});

test("a code block that is still streaming is code already", () => {
  expect(blocks("```\nlet x")).toEqual([{ kind: "code", language: "", text: "let x", open: true }]);
});

test("inside code only a bare fence as long as the first ends it", () => {
  expect(blocks("````\n```py\n```\nx\n````")).toEqual([{ kind: "code", language: "", text: "```py\n```\nx", open: false }]);
});

const ANSWER = "하나\n둘\n\n> 셋\n\n1. 넷\n   - 다섯\n\n2. 여섯\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\n일곱\n\n```\n\n$$\n여덟\n$$\n## 아홉\n끝";

test("every piece of a stream gives what the whole text gives", () => {
  let parsed = NOTHING;
  for (let end = 1; end <= ANSWER.length; end++) {
    parsed = extend(parsed, ANSWER.slice(0, end));
    expect(parsed.blocks).toEqual(blocks(ANSWER.slice(0, end)));
  }
});

test("while a text grows all but its last two blocks stay the very same", () => {
  const many = Array.from({ length: 200 }, (_, index) => `문단 ${index}`).join("\n\n");
  const before = extend(NOTHING, many);
  const after = extend(before, `${many} 더`);
  expect(after.blocks).toHaveLength(200);
  expect(after.blocks.filter((block, index) => block === before.blocks[index])).toHaveLength(198);
  expect(after.blocks.at(-1)).toEqual(paragraph("문단 199 더"));
});

test("a text that is not the old one going on is read from its beginning", () => {
  const before = extend(NOTHING, "하나\n\n둘");
  expect(extend(before, "다른\n\n셋").blocks).toEqual([paragraph("다른"), paragraph("셋")]);
});

test("quotes nested without end stay bounded", () => {
  expect(JSON.stringify(blocks(`${">".repeat(5000)} 끝`)).length).toBeLessThan(20_000);
});

test("emphasis needs its marks at words, so arithmetic and names stay, and Korean particles may follow", () => {
  expect(spans("**굵게**는 *기울여* ~~지움~~ `코드` 2*3*4 snake_case_name **“인용”**이")).toEqual([
    { kind: "strong", spans: [text("굵게")] },
    text("는 "),
    { kind: "emphasis", spans: [text("기울여")] },
    text(" "),
    { kind: "struck", spans: [text("지움")] },
    text(" "),
    { kind: "code", text: "코드" },
    text(" 2*3*4 snake_case_name "),
    { kind: "strong", spans: [text("“인용”")] },
    text("이"),
  ]);
});

test("links and bare addresses lead out; what follows them does not belong to them", () => {
  expect(spans("[**문서**](https://example.org/a_(b) \"제목\") https://example.org/가? 그리고 <mailto:a@example.org>")).toEqual([
    { kind: "link", url: "https://example.org/a_(b)", spans: [{ kind: "strong", spans: [text("문서")] }] },
    text(" "),
    { kind: "link", url: "https://example.org/", spans: [text("https://example.org/")] },
    text("가? 그리고 "),
    { kind: "link", url: "mailto:a@example.org", spans: [text("mailto:a@example.org")] },
  ]);
});

test("formulas are told from prices", () => {
  expect(blocks("$$x$$ 뒤의 말\n$$\na$$b\n$$")).toEqual([
    paragraph("$$x$$ 뒤의 말"),
    { kind: "math", text: "a$$b", open: false },
  ]);
  expect(spans("$$x$$ 뒤")).toEqual([{ kind: "math", text: "x" }, text(" 뒤")]);
  expect(spans("$x+1$ 그리고 \\(y\\), 값은 $5 또는 $10")).toEqual([
    { kind: "math", text: "x+1" },
    text(" 그리고 "),
    { kind: "math", text: "y" },
    text(", 값은 $5 또는 $10"),
  ]);
});

test("images become words and an address, never something that is loaded", () => {
  expect(spans("![비밀](https://evil.example/?q=secret)![x](javascript:alert(1))")).toEqual([
    { kind: "image", text: "비밀", url: "https://evil.example/?q=secret" },
    { kind: "image", text: "x", url: null },
  ]);
});

test.each([
  "javascript:alert(1)",
  "JAVASCRIPT:alert(1)",
  "java\tscript:alert(1)",
  " https://a.example",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:x",
  "file:///etc/passwd",
  "blob:https://a.example/x",
  "//evil.example",
  "/socket",
  "ws://127.0.0.1",
  "\u0000https://a.example",
])("%j is no address that a person is sent to", (address) => {
  expect(safeUrl(address)).toBeNull();
});

test.each([
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg/onload=alert(1)>",
  "[x](javascript:alert(1))",
  "[x](data:text/html,x)",
  "** nothing **",
  "&lt;",
  "{{constructor}}",
])("%j stays the text that it is", (words) => {
  expect(blocks(words)).toEqual([paragraph(words)]);
  expect(spans(words)).toEqual([text(words)]);
});
