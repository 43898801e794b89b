// One chat of the list, and one place where the searched words were found.
import { memo } from "preact/compat";
import { useEffect, useRef, useState } from "preact/hooks";
import { fold } from "../../hangul";
import { language, t } from "../../i18n";
import type { SearchHit, SessionInfo } from "../../protocol";
import { deleteSession, exportSessions, pinSession, renameSession, state } from "../../store";
import { Icon } from "../shared/icons";
import { type Entry, Menu } from "../shared/menu";

export function Session({ session, choose }: { session: SessionInfo; choose: () => void }) {
  const [renaming, setRenaming] = useState(false);
  const current = state.value.current === session.id;
  if (renaming) return <Rename session={session} done={() => setRenaming(false)} />;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "F2") setRenaming(true);
    else if (event.key === "Delete") void deleteSession(session);
    else return;
    event.preventDefault();
  };
  return (
    <li class={current ? "session current" : "session"}>
      <button
        type="button"
        class="session-title"
        aria-current={current ? "page" : undefined}
        onClick={choose}
        onKeyDown={onKeyDown}
      >
        {session.pinned && (
          <>
            <Icon name="pin" />
            <span class="visually-hidden">{t("pinned")}: </span>
          </>
        )}
        {session.title || t("untitled")}
      </button>
      <Actions session={session} lang={language.value} rename={() => setRenaming(true)} />
    </li>
  );
}

interface ActionsProps {
  session: SessionInfo;
  lang: string;
  rename: () => void;
}

const Actions = memo(
  function Actions({ session, rename }: ActionsProps) {
    const entries: Entry[] = [
      { label: t("rename"), icon: "pencil", run: rename },
      { label: t(session.pinned ? "unpin" : "pin"), icon: "pin", run: () => void pinSession(session) },
      { label: t("exportJson"), icon: "download", run: () => void exportSessions(session, "json") },
      { label: t("exportMarkdown"), icon: "download", run: () => void exportSessions(session, "markdown") },
      { label: t("remove"), icon: "trash", run: () => void deleteSession(session), danger: true },
    ];
    return (
      <span class="session-actions">
        <Menu id={`chat-${session.id}`} label={t("actionsOf", { title: session.title })} entries={entries} />
      </span>
    );
  },
  (before, after) => before.session === after.session && before.lang === after.lang,
);

/** Leaving the field saves, also by Enter; Escape leaves it without. */
function Rename({ session, done }: { session: SessionInfo; done: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const givenUp = useRef(false);
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  return (
    <li class="session editing">
      <input
        ref={input}
        defaultValue={session.title}
        aria-label={t("titleOf")}
        onBlur={(event) => {
          if (!givenUp.current) void renameSession(session, event.currentTarget.value);
          done();
        }}
        onKeyDown={(event) => {
          if (event.isComposing) return;
          givenUp.current = event.key === "Escape";
          if (!givenUp.current && event.key !== "Enter") return;
          event.preventDefault();
          event.currentTarget.blur();
        }}
      />
    </li>
  );
}

export function Hit({ hit, words, choose }: { hit: SearchHit; words: string; choose: () => void }) {
  return (
    <li class="session hit">
      <button type="button" class="session-title" onClick={choose}>
        <span class="hit-title">{hit.title || t("untitled")}</span>
        <span class="hit-excerpt">
          <Marked text={hit.excerpt} words={words} />
        </span>
      </button>
    </li>
  );
}

/** The text with the first place of the words marked. */
function Marked({ text, words }: { text: string; words: string }) {
  const at = fold(text).indexOf(fold(words));
  if (at < 0) return <>{text}</>;
  const end = at + words.normalize("NFC").length;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, end)}</mark>
      {text.slice(end)}
    </>
  );
}
