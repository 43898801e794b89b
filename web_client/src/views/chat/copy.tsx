// The button that copies a text.
import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { Icon } from "../shared/icons";

const SHOWN_MS = 1500;

export function Copy({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), SHOWN_MS);
  };
  return (
    <button type="button" class="text-button quiet" onClick={() => void copy()}>
      <Icon name={copied ? "check" : "copy"} />
      {t(copied ? "copied" : "copy")}
    </button>
  );
}
