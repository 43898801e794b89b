// The sheet of the keyboard's shortcuts.
import { t } from "../../i18n";
import { keysOf, LOCAL_KEYS, SHORTCUTS } from "../../shortcuts";
import { Dialog } from "../shared/dialog";

const APPLE = /Mac|iPhone|iPad/.test(navigator.userAgent);

export function Shortcuts() {
  const rows = [
    ...SHORTCUTS.map((shortcut) => ({ label: t(shortcut.label), keys: keysOf(shortcut, APPLE) })),
    ...LOCAL_KEYS.map(({ label, keys }) => ({ label: t(label), keys })),
  ];
  return (
    <Dialog name="shortcuts" title={t("shortcuts")}>
      <dl class="shortcuts">
        {rows.map(({ label, keys }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
