// A block of code with its language, its colours and a button that copies it.
import { useMemo } from "preact/hooks";
import { t } from "../../i18n";
import { highlight } from "../../markdown/highlight";
import { Copy } from "./copy";

export function CodeBlock({ language, text }: { language: string; text: string }) {
  const tokens = useMemo(() => highlight(text, language), [text, language]);
  return (
    <div class="code-block">
      <div class="code-head">
        <span>{language || t("code")}</span>
        <Copy text={text} />
      </div>
      <pre tabIndex={0} role="region" aria-label={t("codeIn", { language: language || t("code") })}>
        <code>
          {tokens.map(({ kind, text: piece }, index) =>
            kind === "plain" ? (
              piece
            ) : (
              <span key={index} class={`hl-${kind}`}>
                {piece}
              </span>
            ),
          )}
        </code>
      </pre>
    </div>
  );
}
