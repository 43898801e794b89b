import { expect, test } from "vitest";
import { beginsWith } from "../src/hangul";
import { readable, wholeUntil } from "../src/sentences";
import { commandOf, keysOf, SHORTCUTS } from "../src/shortcuts";
import { fileName, pieces } from "../src/transfer";

test.each([
  ["도움말", "ㄷ", true],
  ["도움말", "ㄷㅇ", true],
  ["도움말", "도우", true],
  ["도움말", "도움말", true],
  ["도움말", "도움말씀", false],
  ["도움말", "ㅁ", false],
  ["이미지", "임", false],
  ["help", "he", true],
  ["help", "lp", false],
])("%s begins with %s: %s", (name, typed, expected) => {
  expect(beginsWith(name, typed)).toBe(expected);
});

test("a sentence is told when the next one has begun, and a number's point ends none", () => {
  expect(wholeUntil("서울입니다")).toBe(0);
  expect(wholeUntil("서울입니다.")).toBe(0);
  expect(wholeUntil("서울입니다. 한")).toBe("서울입니다. 한".indexOf("한") - 1);
  expect(wholeUntil("원주율은 3.14")).toBe(0);
  expect(wholeUntil("하나\n둘")).toBe(3);
});

test("what is read out has no Markdown's marks", () => {
  expect(readable("## **서울**은 [수도](https://a.example)\n```py\nx = 1\n```\n`끝`")).toBe("서울은 수도 … 끝");
});

const press = (key: string, more: object = {}) =>
  commandOf({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, isComposing: false, ...more });

test("every shortcut is found by its own keys, and only by them", () => {
  for (const { command, key, control = false, shift = false, alt = false } of SHORTCUTS) {
    expect(press(key, { ctrlKey: control, shiftKey: shift, altKey: alt })).toBe(command);
    expect(press(key, { metaKey: control, shiftKey: shift, altKey: alt })).toBe(command);
    expect(press(key, { ctrlKey: control, shiftKey: !shift, altKey: alt })).not.toBe(command);
  }
  expect(new Set(SHORTCUTS.map((shortcut) => keysOf(shortcut, false).join("+"))).size).toBe(SHORTCUTS.length);
});

test("keys that compose a Hangul syllable are no shortcut", () => {
  expect(press("Escape", { isComposing: true })).toBeNull();
  expect(press("k", { ctrlKey: true, isComposing: true })).toBeNull();
});

test.each(["", "아무거나", "가".repeat(100), "🙂".repeat(50), "a🙂\u0000".repeat(33)])("%j in pieces is whole again", (text) => {
  for (const most of [2, 3, 7, 1000]) {
    const parts = pieces(text, most);
    expect(parts.join("")).toBe(text);
    // It throws at half of a pair.
    for (const part of parts) encodeURIComponent(part);
    expect(parts.every((part) => part.length <= most)).toBe(true);
    expect(parts.length).toBeGreaterThan(0);
  }
});

test.each([
  ["서울: 수도?", "서울 수도.md"],
  ["../../etc/passwd", ".. .. etc passwd.md"],
  ["", "AI MARK.md"],
  ["끝...", "끝.md"],
])("%j is saved as %j", (title, name) => {
  expect(fileName(title, "md")).toBe(name);
});
