// The commands that fit what was typed after the slash, with their names in both languages.
import { language, t } from "../../i18n";
import { nameOf } from "../../composer";
import type { CommandInfo } from "../../protocol";

interface Props {
  commands: readonly CommandInfo[];
  chosen: number;
  choose: (command: CommandInfo) => void;
}

export function Palette({ commands, chosen, choose }: Props) {
  const other = language.value === "ko" ? "en" : "ko";
  return (
    <ul class="completions" id="palette" role="listbox" aria-label={t("commands")}>
      {commands.map((command, index) => (
        <li
          key={command.name}
          id={`palette-${index}`}
          role="option"
          aria-selected={index === chosen}
          onPointerDown={(event) => {
            event.preventDefault(); // the field keeps the focus
            choose(command);
          }}
        >
          <code>/{nameOf(command, language.value)}</code>
          <span>{command.help[language.value] ?? command.help["en"] ?? ""}</span>
          <small lang={other}>/{nameOf(command, other)}</small>
        </li>
      ))}
    </ul>
  );
}
