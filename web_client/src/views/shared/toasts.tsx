// Toasts: every error with its code, what happened and what to do, in the person's language.
import { say, t } from "../../i18n";
import type { Toast } from "../../state";
import { dismiss, restoreSession, state } from "../../store";
import { Icon } from "./icons";
import { Line } from "../chat/rich_text";

export function Toasts() {
  return (
    <div class="toasts">
      {state.value.toasts.map((toast) => (
        <OneToast key={toast.key} toast={toast} />
      ))}
    </div>
  );
}

function OneToast({ toast }: { toast: Toast }) {
  const { fault, undo } = toast;
  const urgent = toast.level === "error";
  return (
    <section class={`toast ${toast.level}`} role={urgent ? "alert" : "status"}>
      <Icon name={urgent ? "alert" : "info"} />
      <div class="toast-body">
        {fault !== null && (
          <>
            <p class="toast-message">{say(fault.message)}</p>
            <p class="toast-hint">
              <Line text={say(fault.hint)} />
            </p>
            {fault.detail ? <p class="toast-detail">{fault.detail}</p> : null}
            <p class="toast-code">
              {t(urgent ? "error" : "notice")} · <code>{fault.code}</code>
            </p>
          </>
        )}
        {toast.imported !== null && <p class="toast-message">{t("imported", { count: toast.imported })}</p>}
        {undo !== null && <p class="toast-message">{t("deleted", { title: undo.title || t("untitled") })}</p>}
      </div>
      {undo !== null && (
        <button
          type="button"
          class="text-button"
          onClick={() => {
            dismiss(toast.key);
            void restoreSession(undo);
          }}
        >
          {t("undo")}
        </button>
      )}
      <button type="button" class="icon-button" aria-label={t("dismiss")} onClick={() => dismiss(toast.key)}>
        <Icon name="close" />
      </button>
    </section>
  );
}
