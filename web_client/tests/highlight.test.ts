import { expect, test } from "vitest";
import { highlight, type TokenKind } from "../src/markdown/highlight";

const of = (kind: TokenKind, code: string, language: string) =>
  highlight(code, language)
    .filter((token) => token.kind === kind)
    .map(({ text }) => text);

test("keywords, strings, numbers, comments and calls have their colours", () => {
  const code = 'def 인사(이름):  # "주석"\n    return f"안녕 {이름}" * 0x1F';
  expect(of("keyword", code, "Python")).toEqual(["def", "return"]);
  expect(of("string", code, "py")).toEqual(['f"안녕 {이름}"']);
  expect(of("comment", code, "py")).toEqual(['# "주석"']);
  expect(of("number", code, "py")).toEqual(["0x1F"]);
  expect(of("name", code, "py")).toEqual(["인사"]);
});

test("keywords of SQL count in any case", () => {
  expect(of("keyword", "Select a FROM b -- from", "sql")).toEqual(["Select", "FROM"]);
});

test("marks inside strings and comments begin nothing", () => {
  expect(of("comment", 'x = "http://a" // "끝', "ts")).toEqual(['// "끝']);
  expect(of("string", "// it's\ny", "js")).toEqual([]);
});

test("markup shows its tags", () => {
  expect(of("tag", '<a href="x">글</a>', "html")).toEqual(["<a", ">", "</a>"]);
});

const HARD = ["", '"', "'''", "/*", "<!--", "`${", "한글 ㄱ 🙂\u0000", "\\\"", "#", "0x", "$$", "a".repeat(3000), '"'.repeat(3000)];

test.each(["py", "ts", "sh", "sql", "html", "yaml", "unknown", ""])("in %j the pieces joined are always the code", (language) => {
  for (const code of [...HARD, HARD.join("\n")]) {
    expect(highlight(code, language).map(({ text }) => text).join("")).toBe(code);
  }
});

test("an unknown language is left plain", () => {
  expect(highlight("if x", "brainfuck")).toEqual([{ kind: "plain", text: "if x" }]);
});
