// The page: chats at the side, the conversation in the middle, what went wrong on top.
import { useEffect, useRef } from "preact/hooks";
import { useShortcuts } from "./keyboard";
import { drawer } from "./ui";
import { Chat } from "./views/chat/chat";
import { Composer } from "./views/chat/composer";
import { Sessions } from "./views/session/sessions";
import { Settings } from "./views/settings/settings";
import { Shortcuts } from "./views/settings/shortcuts";
import { Banner } from "./views/shared/banner";
import { Header } from "./views/shared/header";
import { Toasts } from "./views/shared/toasts";
import { MachinePanel } from "./views/telemetry/panel";

export function App() {
  useShortcuts();
  const main = useRef<HTMLDivElement>(null);
  const open = drawer.value;
  useDrawer(main, open);
  return (
    <div class={open ? "app drawer-open" : "app"}>
      <Sessions close={() => (drawer.value = false)} />
      <div class="scrim" onClick={() => (drawer.value = false)} />
      <div class="main" ref={main} inert={open}>
        <Header openSessions={() => (drawer.value = true)} />
        <Banner />
        <Chat />
        <Composer />
      </div>
      <Toasts />
      <MachinePanel />
      <Settings />
      <Shortcuts />
    </div>
  );
}

/** While the drawer is open the rest is out of reach; Escape closes it, and the focus returns to what opened it. */
function useDrawer(main: { current: HTMLElement | null }, open: boolean): void {
  useEffect(() => {
    if (!open) return;
    const menu = main.current?.querySelector<HTMLElement>(".header .only-narrow");
    document.querySelector<HTMLElement>(".sidebar .only-narrow")?.focus();
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.isComposing || event.defaultPrevented) return;
      // Escape closes the innermost: a menu or dialog of the drawer goes before the drawer.
      if (document.querySelector(":popover-open, dialog[open]") === null) drawer.value = false;
    };
    const wide = matchMedia("(min-width: 861px)");
    const onWide = () => (drawer.value = false);
    addEventListener("keydown", onKeyDown);
    wide.addEventListener("change", onWide);
    return () => {
      removeEventListener("keydown", onKeyDown);
      wide.removeEventListener("change", onWide);
      // `inert` goes with the next drawing; what is inert takes no focus.
      requestAnimationFrame(() => menu?.focus());
    };
  }, [open]);
}
