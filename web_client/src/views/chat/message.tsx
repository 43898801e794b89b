// One message: what was said, how it stands, and what can be done with it.
import { memo } from "preact/compat";
import { useState } from "preact/hooks";
import { say, t } from "../../i18n";
import { type ChatMessage, running } from "../../state";
import { goOn, readAloud, regenerate, silence } from "../../store";
import { Icon, type IconName } from "../shared/icons";
import { Copy } from "./copy";
import { Editor } from "./editor";
import { Line, RichText } from "./rich_text";
import { Times } from "./times";

interface MessageProps {
  message: ChatMessage;
  last: boolean;
  speaking: boolean;
  lang: string;
}

export const Message = memo(function Message({ message, last, speaking }: MessageProps) {
  return message.role === "user" ? <Question message={message} /> : <Answer message={message} last={last} speaking={speaking} />;
});

function Question({ message }: { message: ChatMessage }) {
  const [editing, setEditing] = useState(false);
  return (
    <article class="message user" aria-label={t("you")} data-state={message.state}>
      {editing ? (
        <Editor message={message} close={() => setEditing(false)} />
      ) : (
        <>
          <div class="bubble">{message.content || <span class="waiting">{t("hearing")}</span>}</div>
          {message.content !== "" && (
            <footer class="message-foot">
              <Do icon="pencil" label={t("edit")} run={() => setEditing(true)} />
              <Copy text={message.content} />
            </footer>
          )}
        </>
      )}
    </article>
  );
}

function Answer({ message, last, speaking }: Omit<MessageProps, "lang">) {
  const busy = running(message);
  const cut = message.figures?.cutShort || message.state === "cancelled" || message.state === "interrupted";
  return (
    <article class="message assistant" aria-label={t("assistant")} aria-busy={busy} data-state={message.state}>
      {message.content !== "" && <RichText text={message.content} />}
      {busy && message.content === "" && message.state !== "recovering" && <Waiting message={message} />}
      {message.progress !== null && (
        <div class="progress">
          <progress value={message.progress.fraction} max={1} aria-label={message.progress.text || t("progress")} />
          <span>{message.progress.text}</span>
        </div>
      )}
      <Ending message={message} last={last} />
      <footer class="message-foot">
        {speaking && <Do icon="speaker" label={t("stopSpeaking")} run={silence} strong />}
        {!busy && message.content !== "" && <Copy text={message.content} />}
        {!busy && !speaking && message.content !== "" && (
          <Do icon="speaker" label={t("readAloud")} run={() => void readAloud(message)} />
        )}
        {!busy && last && message.state !== "failed" && (
          <Do icon="redo" label={t("regenerate")} run={() => void regenerate(message)} />
        )}
        {!busy && last && cut && message.content !== "" && <Do icon="forward" label={t("continue")} run={goOn} />}
        {message.figures !== null && <Times figures={message.figures} />}
      </footer>
    </article>
  );
}

interface DoProps {
  icon: IconName;
  label: string;
  run: () => void;
  strong?: boolean;
}

function Do({ icon, label, run, strong = false }: DoProps) {
  return (
    <button type="button" class={strong ? "text-button" : "text-button quiet"} onClick={run}>
      <Icon name={icon} />
      {label}
    </button>
  );
}

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

function Ending({ message, last }: { message: ChatMessage; last: boolean }) {
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
          {last && <Do icon="redo" label={t("tryAgain")} run={() => void regenerate(message)} strong />}
        </div>
      );
    default:
      return null;
  }
}
