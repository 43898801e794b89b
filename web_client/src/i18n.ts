// The page's words in English and Korean, and the choice between them.
import { signal } from "@preact/signals";
import type { Text } from "./protocol";

export type Language = "en" | "ko";

const en = {
  newChat: "New chat",
  sessions: "Chats",
  searchSessions: "Search chats",
  noSessions: "No chats yet",
  nothingFound: "Nothing found",
  untitled: "Untitled",
  rename: "Rename",
  remove: "Delete",
  save: "Save",
  titleOf: "Title of the chat",
  deleted: "“{title}” was deleted.",
  undo: "Undo",
  dismiss: "Dismiss",
  showSessions: "Show chats",
  hideSessions: "Hide chats",
  welcome: "What can I do for you?",
  welcomeHint: "Type below, or hold the microphone button and speak. Everything stays on this computer.",
  composer: "Message",
  placeholder: "Type a message, / for commands",
  send: "Send",
  stop: "Stop",
  you: "You",
  assistant: "AI MARK",
  queued: "Sending…",
  hearing: "Understanding what you said…",
  thinking: "Thinking…",
  cancelled: "Stopped",
  interrupted: "Interrupted",
  recovering: "The engine stopped. The answer goes on in a moment.",
  failed: "Failed",
  tryAgain: "Try again",
  copy: "Copy",
  copied: "Copied",
  holdToTalk: "Hold to talk",
  openingMicrophone: "Opening the microphone…",
  speakNow: "Speak – release to send",
  microphoneLive: "Microphone is live",
  loudness: "Loudness",
  voiceOn: "Spoken answers are on",
  voiceOff: "Spoken answers are off",
  speaking: "Speaking",
  stopSpeaking: "Stop speaking",
  llm: "Thinking",
  stt: "Hearing",
  tts: "Speaking",
  image: "Drawing",
  engines: "Engines",
  tokensPerSecond: "{value} tokens/s",
  vram: "VRAM {used} of {total}",
  connecting: "Connecting to the daemon…",
  connectionLost: "Connection lost.",
  reconnectingIn: "Next try in {seconds} s.",
  reconnectNow: "Connect now",
  signedOut: "This page is not logged in. Run “aimark open” in a terminal.",
  incompatible: "The daemon was updated. Reload the page.",
  reload: "Reload",
  language: "Language",
  theme: "Colours",
  themeSystem: "As the system",
  themeLight: "Light",
  themeDark: "Dark",
  timings: "Times of this answer",
  timeHeard: "heard {value} s",
  timeToken: "first word {value} s",
  timeAudio: "first sound {value} s",
  timeEnd: "all {value} s",
  tokens: "{value} tokens",
  cutShort: "The answer reached its length limit.",
  forgot: "Earlier messages no longer fit: {count} left out",
  stateReady: "ready",
  stateBusy: "busy",
  stateLoading: "loading",
  stateStarting: "starting",
  stateStopped: "off",
  stateAsleep: "asleep",
  stateAbsent: "none",
  stateCrashed: "restarting",
  stateFailed: "failed",
  restarts: "restarted {count} times",
  answerComplete: "Answer: {text}",
  commands: "Commands",
  error: "Error",
  notice: "Notice",
} as const;

export type Key = keyof typeof en;

const ko: Record<Key, string> = {
  newChat: "새 대화",
  sessions: "대화 목록",
  searchSessions: "대화 검색",
  noSessions: "아직 대화가 없습니다",
  nothingFound: "찾은 것이 없습니다",
  untitled: "제목 없음",
  rename: "이름 바꾸기",
  remove: "삭제",
  save: "저장",
  titleOf: "대화 제목",
  deleted: "‘{title}’ 대화를 삭제했습니다.",
  undo: "되돌리기",
  dismiss: "닫기",
  showSessions: "대화 목록 열기",
  hideSessions: "대화 목록 닫기",
  welcome: "무엇을 도와드릴까요?",
  welcomeHint: "아래에 입력하거나 마이크 버튼을 누른 채 말해 주세요. 모든 내용은 이 컴퓨터에만 남습니다.",
  composer: "메시지",
  placeholder: "메시지를 입력하세요. 명령은 /",
  send: "보내기",
  stop: "중지",
  you: "나",
  assistant: "AI MARK",
  queued: "보내는 중…",
  hearing: "말씀을 알아듣는 중…",
  thinking: "생각하는 중…",
  cancelled: "중지함",
  interrupted: "중단됨",
  recovering: "엔진이 멈췄습니다. 잠시 후 답변을 이어 갑니다.",
  failed: "실패",
  tryAgain: "다시 시도",
  copy: "복사",
  copied: "복사했습니다",
  holdToTalk: "누르고 말하기",
  openingMicrophone: "마이크를 여는 중…",
  speakNow: "말씀하세요 – 놓으면 보냅니다",
  microphoneLive: "마이크가 켜져 있습니다",
  loudness: "소리 크기",
  voiceOn: "음성 답변 켜짐",
  voiceOff: "음성 답변 꺼짐",
  speaking: "말하는 중",
  stopSpeaking: "그만 말하기",
  llm: "생각",
  stt: "듣기",
  tts: "말하기",
  image: "그리기",
  engines: "엔진",
  tokensPerSecond: "초당 {value}토큰",
  vram: "VRAM {total} 중 {used}",
  connecting: "데몬에 연결하는 중…",
  connectionLost: "연결이 끊어졌습니다.",
  reconnectingIn: "{seconds}초 뒤에 다시 시도합니다.",
  reconnectNow: "지금 연결",
  signedOut: "로그인되지 않은 페이지입니다. 터미널에서 ‘aimark open’을 실행해 주세요.",
  incompatible: "데몬이 업데이트되었습니다. 페이지를 새로 고쳐 주세요.",
  reload: "새로 고침",
  language: "언어",
  theme: "색상",
  themeSystem: "시스템 설정",
  themeLight: "밝게",
  themeDark: "어둡게",
  timings: "이 답에 걸린 시간",
  timeHeard: "알아듣기 {value}초",
  timeToken: "첫 낱말 {value}초",
  timeAudio: "첫 소리 {value}초",
  timeEnd: "전체 {value}초",
  tokens: "{value}토큰",
  cutShort: "답이 길이 제한에 닿았습니다.",
  forgot: "자리가 모자라 이전 대화 {count}개를 빼고 답했습니다",
  stateReady: "준비됨",
  stateBusy: "작업 중",
  stateLoading: "불러오는 중",
  stateStarting: "시작하는 중",
  stateStopped: "꺼짐",
  stateAsleep: "쉬는 중",
  stateAbsent: "없음",
  stateCrashed: "다시 시작하는 중",
  stateFailed: "오류",
  restarts: "{count}번 다시 시작함",
  answerComplete: "답변: {text}",
  commands: "명령",
  error: "오류",
  notice: "알림",
};

export const WORDS: Record<Language, Record<Key, string>> = { en, ko };
const STORED = "aimark.language";

/** The language for a browser's preference list, in its order. */
export function preferred(languages: readonly string[]): Language {
  for (const language of languages) {
    if (/^ko\b/i.test(language)) return "ko";
    if (/^en\b/i.test(language)) return "en";
  }
  return "en";
}

/** Fills the `{names}` of a sentence. */
export function fill(sentence: string, values: Record<string, string | number> = {}): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export const language = signal<Language>("en");

/** Takes the language from the last choice, or from the browser. */
export function initLanguage(): void {
  const stored = localStorage.getItem(STORED);
  setLanguage(stored === "ko" || stored === "en" ? stored : preferred(navigator.languages), false);
}

export function setLanguage(choice: Language, remember = true): void {
  language.value = choice;
  document.documentElement.lang = choice;
  if (remember) localStorage.setItem(STORED, choice);
}

/** The sentence in the language in force; a view that calls it follows the switch. */
export function t(key: Key, values?: Record<string, string | number>): string {
  return fill(WORDS[language.value][key], values);
}

/** The daemon's sentence in the language in force. */
export function say(text: Text): string {
  return text[language.value];
}
