// The conversation: its messages, how each stands, and where a turn's time went.
import { memo } from "preact/compat";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { say, t } from "../i18n";
import { type ChatMessage, type Figures, running, shown } from "../state";
import { hush, state, submit } from "../store";
import { Icon } from "./icons";
import { Questions } from "./questions";
import { Line, RichText } from "./rich_text";

const NEAR_BOTTOM_PX = 80;

export function Chat() {
  const messages = shown(state.value);
  const pane = useRef<HTMLElement>(null);
  const following = useRef(true);
  const session = state.value.current;
  const last = messages.at(-1);
  useLayoutEffect(() => {
    following.current = true;
  }, [session]);
  useLayoutEffect(() => {
    const element = pane.current;
    if (element !== null && following.current) element.scrollTop = element.scrollHeight;
  }, [session, messages.length, last?.content, last?.state]);
  const onScroll = () => {
    const element = pane.current;
    if (element === null) return;
    following.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_BOTTOM_PX;
  };
  return (
    <main class="chat" ref={pane} onScroll={onScroll} tabIndex={-1}>
      {messages.length === 0 ? (
        <div class="welcome">
          <p class="welcome-title">{t("welcome")}</p>
          <p>{t("welcomeHint")}</p>
        </div>
      ) : (
        <div class="messages">
          {messages.map((message, index) => (
            <Message
              key={message.key}
              message={message}
              asked={messages[index - 1]?.content ?? ""}
              speaking={message.role === "assistant" && state.value.speaking === message.turn && message.turn !== null}
            />
          ))}
        </div>
      )}
      <CompletedAnswer message={last} />
    </main>
  );
}

/** Screen readers are told each answer once, when it is whole. */
function CompletedAnswer({ message }: { message: ChatMessage | undefined }) {
  const said = message?.role === "assistant" && message.state === "complete" ? message.content : "";
  return (
    <div class="visually-hidden" aria-live="polite">
      {said && message?.turn !== null ? t("answerComplete", { text: said }) : ""}
    </div>
  );
}

interface MessageProps {
  message: ChatMessage;
  asked: string;
  speaking: boolean;
}

const Message = memo(function Message({ message, asked, speaking }: MessageProps) {
  if (message.role === "user") {
    return (
      <article class="message user" aria-label={t("you")} data-state={message.state}>
        <div class="bubble">{message.content || <span class="waiting">{t("hearing")}</span>}</div>
      </article>
    );
  }
  const busy = running(message);
  return (
    <article class="message assistant" aria-label={t("assistant")} aria-busy={busy} data-state={message.state}>
      {message.content !== "" && <RichText text={message.content} />}
      {busy && message.content === "" && message.state !== "recovering" && <Waiting message={message} />}
      {message.progress !== null && (
        <div class="progress">
          <progress value={message.progress.fraction} max={1} aria-label={message.progress.text} />
          <span>{message.progress.text}</span>
        </div>
      )}
      {busy && <Questions turn={message.turn} />}
      <Ending message={message} asked={asked} />
      <footer class="message-foot">
        {speaking && (
          <button type="button" class="text-button" onClick={hush}>
            <Icon name="speaker" />
            {t("stopSpeaking")}
          </button>
        )}
        {!busy && message.content !== "" && <Copy text={message.content} />}
        {message.figures !== null && <Times figures={message.figures} />}
      </footer>
    </article>
  );
});

function Waiting({ message }: { message: ChatMessage }) {
  if (message.state === "hearing") return null;
  return (
    <p class="waiting">
      <span class="dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      {t(message.state === "queued" ? "queued" : "thinking")}
    </p>
  );
}

function Ending({ message, asked }: { message: ChatMessage; asked: string }) {
  switch (message.state) {
    case "cancelled":
      return <p class="ending">{t("cancelled")}</p>;
    case "interrupted":
      return <p class="ending">{t("interrupted")}</p>;
    case "recovering":
      return (
        <p class="ending" role="status" title={message.fault === null ? "" : say(message.fault.message)}>
          {t("recovering")}
        </p>
      );
    case "failed":
      return (
        <div class="ending failure">
          <p>
            <strong>{message.fault === null ? t("failed") : say(message.fault.message)}</strong>
          </p>
          {message.fault !== null && (
            <p>
              <Line text={say(message.fault.hint)} />
            </p>
          )}
          {asked !== "" && (
            <button type="button" class="text-button" onClick={() => submit(asked)}>
              {t("tryAgain")}
            </button>
          )}
        </div>
      );
    default:
      return null;
  }
}

function Copy({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button type="button" class="text-button quiet" onClick={() => void copy()}>
      <Icon name="copy" />
      {t(copied ? "copied" : "copy")}
    </button>
  );
}

function Times({ figures }: { figures: Figures }) {
  const { timings } = figures;
  const parts: string[] = [];
  const seconds = (value: number | null | undefined) => (value == null ? null : value.toFixed(2));
  const add = (key: "timeHeard" | "timeToken" | "timeAudio" | "timeEnd", value: number | null | undefined) => {
    const text = seconds(value);
    if (text !== null) parts.push(t(key, { value: text }));
  };
  add("timeHeard", timings.transcript_s);
  add("timeToken", timings.first_token_s);
  add("timeAudio", timings.first_audio_s);
  add("timeEnd", timings.end_s);
  if (figures.tokens > 0) parts.push(t("tokens", { value: figures.tokens }));
  if (figures.tokensPerSecond > 0) parts.push(t("tokensPerSecond", { value: figures.tokensPerSecond.toFixed(1) }));
  if (figures.droppedTurns > 0) parts.push(t("forgot", { count: figures.droppedTurns }));
  if (figures.cutShort) parts.push(t("cutShort"));
  if (parts.length === 0) return null;
  return (
    <span class="times" title={t("timings")}>
      {parts.join(" · ")}
    </span>
  );
}
