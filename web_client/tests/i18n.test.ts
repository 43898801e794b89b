import { expect, test } from "vitest";
import { localFault, microphoneFault, type LocalFault } from "../src/faults";
import { fill, preferred, WORDS } from "../src/i18n";

const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

test("both languages have the same keys, and no sentence is empty", () => {
  expect(Object.keys(WORDS.ko).sort()).toEqual(Object.keys(WORDS.en).sort());
  expect([...Object.values(WORDS.ko), ...Object.values(WORDS.en)].filter((text) => text.trim() === "")).toEqual([]);
});

test.each(Object.keys(WORDS.en) as (keyof typeof WORDS.en)[])("%s takes the same values in both languages", (key) => {
  expect(places(WORDS.ko[key])).toEqual(places(WORDS.en[key]));
});

test("Korean sentences are Korean", () => {
  const latin = Object.entries(WORDS.ko).filter(([, text]) => !/[가-힣]/.test(text));
  expect(latin.map(([key]) => key)).toEqual(["assistant"]);
});

test.each([
  [["ko-KR", "en"], "ko"],
  [["fr", "ko"], "ko"],
  [["en-GB", "ko"], "en"],
  [["kok", "de"], "en"],
  [[], "en"],
])("the browser's %j gives %s", (languages, expected) => {
  expect(preferred(languages)).toBe(expected);
});

test("values fill their places and a missing one stays visible", () => {
  expect(fill("{seconds}초 뒤 {other}", { seconds: 3 })).toBe("3초 뒤 {other}");
});

test.each([
  ["NotAllowedError", "microphone_denied"],
  ["NotFoundError", "microphone_missing"],
  ["NotReadableError", "microphone_failed"],
] as [string, LocalFault][])("%s on opening the microphone is %s, with a remedy in both languages", (name, code) => {
  const fault = microphoneFault(new DOMException("말", name));
  expect(fault.code).toBe(code);
  expect(fault.detail).toBe("말");
  expect(fault.hint.en && fault.hint.ko).toBeTruthy();
});

test("a fault's values reach all its sentences", () => {
  const fault = localFault("content_missing", { name: "그림" });
  expect([fault.message.en, fault.message.ko, fault.hint.en, fault.hint.ko].every((s) => s.includes("/그림"))).toBe(true);
});
