import { expect, test } from "vitest";
import { completions, judge, MAX_TEXT_CHARS, nameOf, sends, tells } from "../src/composer";
import type { CommandInfo } from "../src/protocol";

const IMAGE: CommandInfo = {
  name: "image",
  names: { en: ["image"], ko: ["이미지", "그림"] },
  help: { en: "Draws", ko: "그립니다" },
  needs_content: true,
};
const HELP: CommandInfo = { name: "help", names: { en: ["help"], ko: ["도움말"] }, help: { en: "Helps" } };
const COMMANDS = [IMAGE, HELP];
const key = (changes: Partial<Parameters<typeof sends>[0]> = {}) =>
  sends({ key: "Enter", shiftKey: false, isComposing: false, keyCode: 13, ...changes });

test("Enter sends, Shift+Enter makes a line, other keys type", () => {
  expect(key()).toBe(true);
  expect(key({ shiftKey: true })).toBe(false);
  expect(key({ key: "a", keyCode: 65 })).toBe(false);
});

test("Enter that ends a Hangul syllable does nothing, also where only the key code tells", () => {
  expect(key({ isComposing: true })).toBe(false);
  expect(key({ keyCode: 229 })).toBe(false);
});

test("who begins to type tells it at once, also in the middle of a syllable, and again when it goes on for long", () => {
  expect(tells("ㅇ", Infinity)).toBe(true);
  expect(tells("안녕", 19_999)).toBe(false);
  expect(tells("안녕하세요", 20_000)).toBe(true);
});

test.each(["", "  \n", "/", "/도움말", "／이미지 고양이"])("%j asks nothing of the model", (text) => {
  expect(tells(text, Infinity)).toBe(false);
});

test.each(["", "   ", "\n\t", "\u3000"])("empty text %j is not sent and nothing is said", (text) => {
  expect(judge(text, COMMANDS)).toEqual({ send: false, fault: null });
});

test.each(["/이미지", "/그림  ", "/image", "/IMAGE", "／이미지", "/이미지".normalize("NFD"), "/이미지 --size=big", "/image --a \n"])(
  "the command %j without content is blocked, and the toast names it",
  (text) => {
    const verdict = judge(text, COMMANDS);
    if (verdict.send) throw new Error("was sent");
    expect(verdict.fault?.code).toBe("content_missing");
    const name = `/${text.normalize("NFC").trim().split(/\s/)[0]?.slice(1) ?? ""}`;
    expect(verdict.fault?.message.ko).toContain(name);
    expect(verdict.fault?.message.en).toContain(name);
  },
);

test.each(["/이미지 노을 지는 한강", "/도움말", "/모르는명령", "/usr/bin", "이미지", "/image -- --literal"])("%j is sent", (text) => {
  expect(judge(text, COMMANDS)).toEqual({ send: true, text });
});

test("what is sent is trimmed and composed", () => {
  expect(judge(` ${"안녕".normalize("NFD")}\n`, [])).toEqual({ send: true, text: "안녕" });
});

test("a text over the limit is blocked with both numbers", () => {
  const verdict = judge("가".repeat(MAX_TEXT_CHARS + 1), []);
  if (verdict.send) throw new Error("was sent");
  expect(verdict.fault?.message.ko).toContain("100,001");
  expect(verdict.fault?.message.ko).toContain("100,000");
});

test("completions follow what is typed, in every language", () => {
  expect(completions("/", COMMANDS)).toEqual(COMMANDS);
  expect(completions("/이", COMMANDS)).toEqual([IMAGE]);
  expect(completions("/He", COMMANDS)).toEqual([HELP]);
  expect(completions("/help me", COMMANDS)).toEqual([]);
  expect(completions("도움말", COMMANDS)).toEqual([]);
  expect(nameOf(IMAGE, "ko")).toBe("이미지");
});
