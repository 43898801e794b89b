// Light Markdown as elements. Only text nodes are made from what a model says, never markup.
import { memo } from "preact/compat";
import { type Block, blocks, spans } from "../markdown";

/** The answer's blocks; while it streams, only the last one changes, so only that one is drawn again. */
export function RichText({ text }: { text: string }) {
  return (
    <div class="rich">
      {blocks(text).map((block, index) => (
        <OneBlock key={index} block={block} />
      ))}
    </div>
  );
}

const OneBlock = memo(
  function OneBlock({ block }: { block: Block }) {
    switch (block.kind) {
      case "heading":
        return (
          <p class="heading">
            <Line text={block.text} />
          </p>
        );
      case "list": {
        const items = block.items.map((item, index) => (
          <li key={index}>
            <Line text={item} />
          </li>
        ));
        return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>;
      }
      case "code":
        return (
          <pre tabIndex={0} data-language={block.language || undefined}>
            <code>{block.text}</code>
          </pre>
        );
      default:
        return (
          <p>
            <Line text={block.text} />
          </p>
        );
    }
  },
  (before, after) => JSON.stringify(before.block) === JSON.stringify(after.block),
);

/** One line with its code and emphasis. */
export function Line({ text }: { text: string }) {
  return (
    <>
      {spans(text).map((span, index) => {
        switch (span.kind) {
          case "code":
            return <code key={index}>{span.text}</code>;
          case "strong":
            return <strong key={index}>{span.text}</strong>;
          case "emphasis":
            return <em key={index}>{span.text}</em>;
          default:
            return span.text;
        }
      })}
    </>
  );
}
