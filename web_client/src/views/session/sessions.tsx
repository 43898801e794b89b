// The list of chats: new, search, choose, and what can be done with all of them.
import { useEffect, useRef, useState } from "preact/hooks";
import { fold } from "../../hangul";
import { t } from "../../i18n";
import type { SearchHit } from "../../protocol";
import { exportSessions, importSessions, searchSessions, selectSession, state } from "../../store";
import { dialog } from "../../ui";
import { Icon } from "../shared/icons";
import { Menu } from "../shared/menu";
import { Hit, Session } from "./session";

const SEARCH_PAUSE_MS = 150;
/** So many chats are drawn at first, and so many more whenever the end of the list comes near. */
const DRAWN_AT_ONCE = 100;
const NEAR_END_PX = 600;

export function Sessions({ close }: { close: () => void }) {
  const [query, setQuery] = useState("");
  const words = query.trim();
  const hits = useHits(words);
  const [drawn, setDrawn] = useState(DRAWN_AT_ONCE);
  useEffect(() => setDrawn(DRAWN_AT_ONCE), [words]);
  const choose = (session: string | null) => {
    selectSession(session);
    close();
  };
  const { sessions } = state.value;
  const titled = sessions.filter((session) => fold(session.title).includes(fold(words)));
  // Titles are looked through here at once; what the daemon finds in messages comes a moment later.
  const inMessages = words === "" ? [] : hits.filter((hit) => hit.message != null);
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
          onKeyDown={(event) => {
            if (event.key !== "Escape" || query === "" || event.isComposing) return;
            event.preventDefault();
            setQuery("");
          }}
        />
      </label>
      <div
        class="session-lists"
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          if (drawn < titled.length && scrollHeight - scrollTop - clientHeight < NEAR_END_PX) setDrawn(drawn + DRAWN_AT_ONCE);
        }}
      >
        <ul class="session-list">
          {titled.slice(0, drawn).map((session) => (
            <Session key={session.id} session={session} choose={() => choose(session.id)} />
          ))}
        </ul>
        {inMessages.length > 0 && (
          <>
            <h2 class="sidebar-heading">{t("inMessages")}</h2>
            <ul class="session-list">
              {inMessages.map((hit) => (
                <Hit key={hit.message} hit={hit} words={words} choose={() => choose(hit.session)} />
              ))}
            </ul>
          </>
        )}
        {titled.length + inMessages.length === 0 && (words !== "" || state.value.link.phase === "open") && (
          <p class="sidebar-empty">{t(words === "" ? "noSessions" : "nothingFound")}</p>
        )}
      </div>
      <Foot />
    </nav>
  );
}

function useHits(words: string): SearchHit[] {
  const [hits, setHits] = useState<SearchHit[]>([]);
  useEffect(() => {
    let stale = false;
    if (words === "") return setHits([]);
    const timer = setTimeout(() => {
      void searchSessions(words).then((found) => {
        if (!stale) setHits(found);
      });
    }, SEARCH_PAUSE_MS);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [words]);
  return hits;
}

function Foot() {
  const file = useRef<HTMLInputElement>(null);
  const none = state.value.sessions.length === 0;
  const exports = [
    { label: t("exportAllJson"), icon: "download" as const, run: () => void exportSessions(null, "json") },
    { label: t("exportAllMarkdown"), icon: "download" as const, run: () => void exportSessions(null, "markdown") },
  ];
  return (
    <div class="sidebar-foot">
      <Menu
        id="all-chats"
        label={t("allChats")}
        icon="more"
        entries={[
          ...(none ? [] : exports),
          { label: t("importChats"), icon: "upload", run: () => file.current?.click() },
        ]}
      />
      <button
        type="button"
        class="icon-button"
        aria-label={t("shortcuts")}
        title={t("shortcuts")}
        onClick={() => (dialog.value = "shortcuts")}
      >
        <Icon name="keyboard" />
      </button>
      <input
        ref={file}
        type="file"
        accept=".json,application/json"
        hidden
        aria-label={t("importChats")}
        onChange={(event) => {
          const chosen = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (chosen !== undefined) void importSessions(chosen);
        }}
      />
    </div>
  );
}
