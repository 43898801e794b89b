// Faults that the page itself finds, as the same data that the daemon sends.
import type { Fault } from "./protocol";

const KINDS = {
  connection_lost: [
    "The connection to the daemon was lost.",
    "데몬과의 연결이 끊어졌습니다.",
    "The page reconnects by itself; then try again.",
    "페이지가 스스로 다시 연결합니다. 연결되면 다시 시도해 주세요.",
  ],
  login_refused: [
    "The log-in code is no longer valid.",
    "로그인 코드가 더 이상 유효하지 않습니다.",
    "Run `aimark open` in a terminal; it opens this page with a new one.",
    "터미널에서 `aimark open`을 실행하면 새 코드로 이 페이지가 열립니다.",
  ],
  content_missing: [
    "/{name} needs something after its name.",
    "/{name} 명령에는 이름 뒤에 내용이 필요합니다.",
    "Write what it should work on after the name: /{name} …",
    "명령 뒤에 내용을 이어서 적어 주세요: /{name} …",
  ],
  text_too_long: [
    "The text is too long: {chars} characters, at most {limit}.",
    "글이 너무 깁니다. {chars}자이며 최대 {limit}자까지 보낼 수 있습니다.",
    "Send it in parts.",
    "나누어 보내 주세요.",
  ],
  file_unreadable: [
    "The file {name} could not be read.",
    "{name} 파일을 읽을 수 없습니다.",
    "Choose it again; it may have been moved or changed.",
    "파일이 옮겨졌거나 바뀌었을 수 있습니다. 다시 골라 주세요.",
  ],
  microphone_denied: [
    "The browser does not allow this page to use the microphone.",
    "브라우저가 이 페이지의 마이크 사용을 허용하지 않습니다.",
    "Allow the microphone with the icon left of the address, then hold the button again.",
    "주소창 왼쪽의 아이콘에서 마이크를 허용한 뒤 버튼을 다시 눌러 주세요.",
  ],
  microphone_missing: [
    "No microphone was found.",
    "마이크를 찾을 수 없습니다.",
    "Connect one, check that the system shows it, then hold the button again.",
    "마이크를 연결하고 시스템에서 보이는지 확인한 뒤 버튼을 다시 눌러 주세요.",
  ],
  microphone_failed: [
    "The microphone could not be opened.",
    "마이크를 열 수 없습니다.",
    "Close other programs that use it, then hold the button again.",
    "마이크를 쓰는 다른 프로그램을 닫은 뒤 버튼을 다시 눌러 주세요.",
  ],
  microphone_lost: [
    "The microphone was disconnected.",
    "마이크 연결이 끊어졌습니다.",
    "Connect it again and repeat what you said.",
    "다시 연결한 뒤 한 번 더 말해 주세요.",
  ],
  sound_suspended: [
    "The browser holds back the sound.",
    "브라우저가 소리 재생을 막고 있습니다.",
    "Click anywhere on the page to hear the answer.",
    "페이지의 아무 곳이나 누르면 답이 들립니다.",
  ],
  sound_failed: [
    "The sound could not be played.",
    "소리를 재생할 수 없습니다.",
    "Check the computer's sound output. The answer is here as text.",
    "컴퓨터의 소리 출력을 확인해 주세요. 답은 글로 볼 수 있습니다.",
  ],
} as const;

export type LocalFault = keyof typeof KINDS;

/** A fault of this kind; `values` fill the `{names}` of its sentences. */
export function localFault(code: LocalFault, values: Record<string, string> = {}, detail = ""): Fault {
  const [message, messageKo, hint, hintKo] = KINDS[code].map((text) =>
    text.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? ""),
  ) as [string, string, string, string];
  return { code, message: { en: message, ko: messageKo }, hint: { en: hint, ko: hintKo }, detail };
}

/** What the browser's exception on opening the microphone means. */
export function microphoneFault(error: unknown): Fault {
  const name = error instanceof DOMException ? error.name : "";
  const detail = error instanceof Error ? error.message : String(error);
  if (name === "NotAllowedError" || name === "SecurityError") return localFault("microphone_denied", {}, detail);
  if (name === "NotFoundError" || name === "OverconstrainedError") return localFault("microphone_missing", {}, detail);
  return localFault("microphone_failed", {}, detail);
}
