// A dialog over the page: the browser keeps the focus inside, closes it with Escape, and gives the focus back.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../i18n";
import { dialog, type Dialog as Name } from "../../ui";
import { Icon } from "./icons";

interface Props {
  name: Name;
  title: string;
  wide?: boolean;
  children: ComponentChildren;
}

/** The dialog of this name; its children live only while it is open. */
export function Dialog(props: Props) {
  return dialog.value === props.name ? <Opened {...props} /> : null;
}

function Opened({ name, title, wide, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    element.current?.showModal();
    return () => before?.focus();
  }, []);
  const close = () => {
    if (dialog.value === name) dialog.value = null;
  };
  return (
    <dialog
      ref={element}
      class={wide ? "dialog wide" : "dialog"}
      aria-labelledby={`${name}-title`}
      onClose={close}
      onClick={(event) => event.target === element.current && close()}
    >
      <div class="dialog-inner">
        <header class="dialog-head">
          <h2 id={`${name}-title`}>{title}</h2>
          <button type="button" class="icon-button" aria-label={t("dismiss")} onClick={close}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
