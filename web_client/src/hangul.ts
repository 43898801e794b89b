// Hangul searched as people type it: by initial consonants, and while a syllable is not finished. Pure.

const INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
const FIRST = 0xac00;
const LAST = 0xd7a3;
const PER_INITIAL = 588;
const PER_VOWEL = 28;

export function fold(text: string): string {
  return text.normalize("NFC").toLowerCase();
}

/** Whether `name` begins with what was typed: `ㄷㅇ` and `도우` both begin 도움말. Both are folded. */
export function beginsWith(name: string, typed: string): boolean {
  const letters = [...name];
  const wanted = [...typed];
  return (
    wanted.length <= letters.length &&
    wanted.every((part, index) => fits(letters[index] ?? "", part, index === wanted.length - 1))
  );
}

function fits(letter: string, typed: string, last: boolean): boolean {
  if (letter === typed) return true;
  const code = letter.charCodeAt(0);
  if (code < FIRST || code > LAST) return false;
  const initial = INITIALS.indexOf(typed);
  if (initial >= 0) return Math.floor((code - FIRST) / PER_INITIAL) === initial;
  // The last syllable may still lack its final consonant.
  const unfinished = typed.charCodeAt(0);
  return last && (unfinished - FIRST) % PER_VOWEL === 0 && unfinished <= code && code < unfinished + PER_VOWEL;
}
