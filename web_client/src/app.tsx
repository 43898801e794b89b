// The page: chats at the side, the conversation in the middle, what went wrong on top.
import { signal } from "@preact/signals";
import { Chat } from "./views/chat";
import { Composer } from "./views/composer";
import { Header } from "./views/header";
import { Banner } from "./views/banner";
import { Sessions } from "./views/sessions";
import { Toasts } from "./views/toasts";

/** Whether the list of chats is open where there is no room for it beside the conversation. */
export const drawer = signal(false);

export function App() {
  return (
    <div class={drawer.value ? "app drawer-open" : "app"}>
      <Sessions close={() => (drawer.value = false)} />
      <div class="scrim" onClick={() => (drawer.value = false)} />
      <div class="main">
        <Header openSessions={() => (drawer.value = true)} />
        <Banner />
        <Chat />
        <Composer />
      </div>
      <Toasts />
    </div>
  );
}
