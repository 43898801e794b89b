// A menu that a button opens: the browser closes it with Escape or a click elsewhere; arrows walk through it.
import { useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icons";

export interface Entry {
  label: string;
  icon: IconName;
  run: () => void;
  danger?: boolean;
}

interface Props {
  id: string;
  label: string;
  icon?: IconName;
  entries: readonly Entry[];
}

const GAP_PX = 4;

export function Menu({ id, label, icon = "more", entries }: Props) {
  // A list of chats has a menu for each: what is in one is made when it is opened.
  const [opened, setOpened] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const place = () => {
    const at = button.current?.getBoundingClientRect();
    const menu = list.current;
    if (at === undefined || menu === null) return;
    const below = at.bottom + GAP_PX + menu.offsetHeight <= innerHeight;
    menu.style.top = `${below ? at.bottom + GAP_PX : Math.max(GAP_PX, at.top - GAP_PX - menu.offsetHeight)}px`;
    menu.style.left = `${Math.max(GAP_PX, Math.min(at.left, innerWidth - menu.offsetWidth - GAP_PX))}px`;
    menu.querySelector("button")?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const buttons = [...(list.current?.querySelectorAll("button") ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    buttons.at(next % buttons.length)?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        class="icon-button"
        aria-haspopup="menu"
        aria-label={label}
        title={label}
        popovertarget={id}
      >
        <Icon name={icon} />
      </button>
      <div
        ref={list}
        id={id}
        class="menu"
        role="menu"
        aria-label={label}
        popover="auto"
        onBeforeToggle={(event) => event.newState === "open" && setOpened(true)}
        onToggle={(event) => event.newState === "open" && place()}
        onKeyDown={onKeyDown}
      >
        {(opened ? entries : []).map((entry) => (
          <button
            key={entry.label}
            type="button"
            role="menuitem"
            tabIndex={-1}
            class={entry.danger ? "danger" : undefined}
            onClick={() => {
              list.current?.hidePopover();
              entry.run();
            }}
          >
            <Icon name={entry.icon} />
            {entry.label}
          </button>
        ))}
      </div>
    </>
  );
}
