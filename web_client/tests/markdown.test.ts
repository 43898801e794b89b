import { expect, test } from "vitest";
import { blocks, spans } from "../src/markdown";

test("an answer becomes headings, paragraphs, lists and code", () => {
  const text = "# 제목\n첫 문단\n둘째 줄\n\n- 하나\n- 둘\n  이어서\n1. one\n\n```py\n# 코드\n\nx\n```\n끝";
  expect(blocks(text)).toEqual([
    { kind: "heading", text: "제목" },
    { kind: "paragraph", text: "첫 문단\n둘째 줄" },
    { kind: "list", ordered: false, items: ["하나", "둘\n이어서"] },
    { kind: "list", ordered: true, items: ["one"] },
    { kind: "code", language: "py", text: "# 코드\n\nx" },
    { kind: "paragraph", text: "끝" },
  ]);
});

test("a code block that is still streaming is code already", () => {
  expect(blocks("```\nlet x")).toEqual([{ kind: "code", language: "", text: "let x" }]);
});

test("inside code only a bare fence ends it", () => {
  expect(blocks("```\n```py\nx\n```")).toEqual([{ kind: "code", language: "", text: "```py\nx" }]);
});

test("every piece of a stream keeps the finished blocks as they were", () => {
  const text = "하나\n\n둘\n\n- 셋\n\n```\n넷\n```\n";
  let before = blocks("");
  for (let end = 1; end <= text.length; end++) {
    const now = blocks(text.slice(0, end));
    expect(now.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
    before = now;
  }
});

test("emphasis needs its marks at words, so arithmetic stays as it is", () => {
  expect(spans("**굵게** 그리고 *기울여* `코드`는 2*3*4")).toEqual([
    { kind: "strong", text: "굵게" },
    { kind: "text", text: " 그리고 " },
    { kind: "emphasis", text: "기울여" },
    { kind: "text", text: " " },
    { kind: "code", text: "코드" },
    { kind: "text", text: "는 2*3*4" },
  ]);
});

test.each(["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "** nothing **", "&lt;"])(
  "%j stays the text that it is",
  (text) => {
    expect(blocks(text)).toEqual([{ kind: "paragraph", text }]);
    expect(spans(text)).toEqual([{ kind: "text", text }]);
  },
);
