// The keyboard's shortcuts at work.
import { useEffect } from "preact/hooks";
import { type Command, commandOf } from "./shortcuts";
import { selectSession, silence, setSpeak, speak, state, stepSession, stop, turn } from "./store";
import { dialog, drawer } from "./ui";

export function useShortcuts(): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const command = commandOf(event);
      if (command === null || event.defaultPrevented || dialog.value !== null) return;
      if (command === "stop" ? stopped(event) : run(command)) event.preventDefault();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}

/** Escape stops an answer or its sound, unless it closes something that is open. */
function stopped(event: KeyboardEvent): boolean {
  if (drawer.value || (event.target as HTMLElement).closest("[popover], .editing, .editor") !== null) return false;
  if (turn.value !== null) stop();
  else if (state.value.speaking !== null) silence();
  else return false;
  return true;
}

function run(command: Exclude<Command, "stop">): boolean {
  switch (command) {
    case "new":
      selectSession(null);
      focus(".composer textarea");
      break;
    case "search":
      // At once where it is there already: what is typed before the next frame belongs to it.
      if (matchMedia("(max-width: 860px)").matches) {
        drawer.value = true;
        requestAnimationFrame(() => focus(".search input"));
      } else focus(".search input");
      break;
    case "compose":
      focus(".composer textarea");
      break;
    case "previous":
      stepSession(-1);
      break;
    case "next":
      stepSession(1);
      break;
    case "speak":
      setSpeak(!speak.value);
      break;
    case "sheet":
      dialog.value = "shortcuts";
      break;
    default:
      dialog.value = command;
  }
  return true;
}

function focus(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.focus();
}
