// The list of chats: new, search, choose, rename, delete.
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import type { SessionInfo } from "../protocol";
import { deleteSession, renameSession, searchSessions, selectSession, state } from "../store";
import { Icon } from "./icons";

const SEARCH_PAUSE_MS = 150;

export function Sessions({ close }: { close: () => void }) {
  const [query, setQuery] = useState("");
  const [found, setFound] = useState<string[] | null>(null);
  const words = query.trim();
  useEffect(() => {
    let stale = false;
    setFound(null);
    if (words === "") return;
    const timer = setTimeout(() => {
      void searchSessions(words).then((ids) => {
        if (!stale) setFound(ids);
      });
    }, SEARCH_PAUSE_MS);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [words]);
  const choose = (session: string | null) => {
    selectSession(session);
    close();
  };
  const sessions = state.value.sessions.filter((session) => matches(session, words, found));
  return (
    <nav class="sidebar" aria-label={t("sessions")}>
      <div class="sidebar-top">
        <strong class="brand">AI MARK</strong>
        <button type="button" class="icon-button only-narrow" aria-label={t("hideSessions")} onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      <button type="button" class="new-chat" onClick={() => choose(null)}>
        <Icon name="plus" />
        {t("newChat")}
      </button>
      <label class="search">
        <Icon name="search" />
        <input
          type="search"
          value={query}
          placeholder={t("searchSessions")}
          aria-label={t("searchSessions")}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
      </label>
      <ul class="session-list">
        {sessions.map((session) => (
          <Session key={session.id} session={session} choose={() => choose(session.id)} />
        ))}
      </ul>
      {sessions.length === 0 && <p class="sidebar-empty">{t(words === "" ? "noSessions" : "nothingFound")}</p>}
    </nav>
  );
}

/** Titles are looked through here at once; what the daemon finds in messages comes a moment later. */
function matches(session: SessionInfo, words: string, found: string[] | null): boolean {
  if (words === "") return true;
  const fold = (text: string) => text.normalize("NFC").toLowerCase();
  return fold(session.title).includes(fold(words)) || (found?.includes(session.id) ?? false);
}

function Session({ session, choose }: { session: SessionInfo; choose: () => void }) {
  const [title, setTitle] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const givenUp = useRef(false);
  const editing = title !== null;
  useEffect(() => {
    if (editing) input.current?.select();
  }, [editing]);
  const current = state.value.current === session.id;
  if (title !== null) {
    // Leaving the field saves, also by Enter; Escape leaves it without.
    const leave = () => {
      setTitle(null);
      if (!givenUp.current) void renameSession(session, title);
    };
    return (
      <li class="session editing">
        <input
          ref={input}
          value={title}
          aria-label={t("titleOf")}
          onInput={(event) => setTitle(event.currentTarget.value)}
          onBlur={leave}
          onKeyDown={(event) => {
            if (event.isComposing) return;
            givenUp.current = event.key === "Escape";
            if (givenUp.current || event.key === "Enter") event.currentTarget.blur();
          }}
        />
      </li>
    );
  }
  return (
    <li class={current ? "session current" : "session"}>
      <button type="button" class="session-title" aria-current={current ? "page" : undefined} onClick={choose}>
        {session.title || t("untitled")}
      </button>
      <span class="session-actions">
        <button
          type="button"
          class="icon-button"
          aria-label={`${t("rename")}: ${session.title}`}
          title={t("rename")}
          onClick={() => setTitle(session.title)}
        >
          <Icon name="pencil" />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label={`${t("remove")}: ${session.title}`}
          title={t("remove")}
          onClick={() => void deleteSession(session)}
        >
          <Icon name="trash" />
        </button>
      </span>
    </li>
  );
}
