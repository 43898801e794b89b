// A question that is being changed; it is asked in a branch, and the conversation as it was stays.
import { useEffect, useRef, useState } from "preact/hooks";
import { sends } from "../../composer";
import { t } from "../../i18n";
import type { ChatMessage } from "../../state";
import { askInBranch } from "../../store";

export function Editor({ message, close }: { message: ChatMessage; close: () => void }) {
  const [text, setText] = useState(message.content);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  const send = () => {
    if (text.trim() === "") return;
    close();
    void askInBranch(message.key, text);
  };
  return (
    <form
      class="editor"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={field}
        rows={Math.min(10, text.split("\n").length + 1)}
        value={text}
        aria-label={t("edit")}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (sends(event)) {
            event.preventDefault();
            send();
          } else if (event.key === "Escape" && !event.isComposing) {
            event.preventDefault();
            close();
          }
        }}
      />
      <div class="editor-foot">
        <span class="soft">{t("branchHint")}</span>
        <button type="button" class="text-button quiet" onClick={close}>
          {t("cancel")}
        </button>
        <button type="submit" class="text-button" disabled={text.trim() === ""}>
          {t("askInBranch")}
        </button>
      </div>
    </form>
  );
}
