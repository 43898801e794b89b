// A formula: its source until the code that draws formulas is there, and while it is still being written.
import { useEffect, useRef } from "preact/hooks";

interface Props {
  text: string;
  display?: boolean;
  open?: boolean;
}

export function Formula({ text, display = false, open = false }: Props) {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let stale = open;
    if (!open) {
      import("../../markdown/math").then(
        ({ draw }) => {
          if (!stale && place.current !== null) draw(place.current, text, display);
        },
        () => undefined, // offline and not loaded yet: the source stays
      );
    }
    return () => {
      stale = true;
    };
  }, [text, display, open]);
  return (
    <span key={text} ref={place} class={display ? "formula display" : "formula"}>
      {text}
    </span>
  );
}
