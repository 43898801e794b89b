// The conversation: its messages, kept in sight while they grow.
import { useLayoutEffect, useRef } from "preact/hooks";
import { language, t } from "../../i18n";
import { isHeard, shown } from "../../state";
import { state } from "../../store";
import { Announcer } from "./announcer";
import { Message } from "./message";
import { Suggestions } from "./suggestions";

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
          <Suggestions />
        </div>
      ) : (
        <div class="messages">
          {messages.map((message, index) => (
            <Message
              key={message.key}
              message={message}
              last={index === messages.length - 1}
              lang={language.value}
              speaking={isHeard(state.value, message)}
            />
          ))}
        </div>
      )}
      <Announcer message={last} />
    </main>
  );
}
