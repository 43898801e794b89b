// An answer's Markdown as elements. Only text nodes are made from what a model says, never markup.
import { memo } from "preact/compat";
import { useMemo, useRef } from "preact/hooks";
import { language, t } from "../../i18n";
import { type Align, type Block, extend, type Item, NOTHING, type Parsed } from "../../markdown/blocks";
import { type Span, spans } from "../../markdown/spans";
import { Icon } from "../shared/icons";
import { CodeBlock } from "./code_block";
import { Formula } from "./formula";

/** Finished blocks are looked at in groups: a long answer that grows costs no more than a short one. */
const GROUP = 40;

/** The answer's blocks; while it streams, only the last ones are read and drawn again. */
export function RichText({ text }: { text: string }) {
  const before = useRef<Parsed>(NOTHING);
  const parsed = useMemo(() => extend(before.current, text), [text]);
  before.current = parsed;
  const groups = Array.from({ length: Math.ceil(parsed.blocks.length / GROUP) }, (_, index) =>
    parsed.blocks.slice(index * GROUP, (index + 1) * GROUP),
  );
  return (
    <div class="rich">
      {groups.map((group, index) => (
        <Group key={index} blocks={group} lang={language.value} />
      ))}
    </div>
  );
}

const Group = memo(
  function Group({ blocks }: { blocks: readonly Block[]; lang: string }) {
    return <Blocks blocks={blocks} />;
  },
  (before, after) =>
    before.lang === after.lang &&
    before.blocks.length === after.blocks.length &&
    before.blocks.every((block, index) => block === after.blocks[index]),
);

const HEADINGS = ["h3", "h3", "h4", "h5", "h6", "h6"] as const;

const OneBlock = memo(function OneBlock({ block }: { block: Block; lang: string }) {
  switch (block.kind) {
    case "paragraph":
      return (
        <p>
          <Line text={block.text} />
        </p>
      );
    case "heading": {
      const Tag = HEADINGS[block.level - 1] ?? "h6";
      return (
        <Tag>
          <Line text={block.text} />
        </Tag>
      );
    }
    case "list": {
      const items = block.items.map((item, index) => <OneItem key={index} item={item} />);
      return block.ordered ? <ol start={block.start}>{items}</ol> : <ul>{items}</ul>;
    }
    case "quote":
      return (
        <blockquote>
          <Blocks blocks={block.blocks} />
        </blockquote>
      );
    case "code":
      return <CodeBlock language={block.language} text={block.text} />;
    case "table":
      return <Table align={block.align} head={block.head} rows={block.rows} />;
    case "math":
      return <Formula text={block.text} display open={block.open} />;
    default:
      return <hr />;
  }
});

function Blocks({ blocks }: { blocks: readonly Block[] }) {
  return (
    <>
      {blocks.map((block, index) => (
        <OneBlock key={index} block={block} lang={language.value} />
      ))}
    </>
  );
}

/** An item whose first part is a paragraph shows it without a paragraph's space. */
function OneItem({ item }: { item: Item }) {
  const [first, ...rest] = item.blocks;
  return (
    <li class={item.ticked === null ? undefined : "task"}>
      {item.ticked !== null && (
        <span class={item.ticked ? "box ticked" : "box"} role="img" aria-label={t(item.ticked ? "done" : "toDo")}>
          {item.ticked && <Icon name="check" />}
        </span>
      )}
      {first?.kind === "paragraph" ? <Line text={first.text} /> : first !== undefined && <Blocks blocks={[first]} />}
      <Blocks blocks={rest} />
    </li>
  );
}

function Table({ align, head, rows }: { align: Align[]; head: string[]; rows: string[][] }) {
  const side = (index: number) => (align[index] ? `align-${align[index]}` : undefined);
  return (
    <div class="table-wrap" role="region" aria-label={t("table")} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((cell, index) => (
              <th key={index} scope="col" class={side(index)}>
                <Line text={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, index) => (
                <td key={index} class={side(index)}>
                  <Line text={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A text with its code, emphasis, links and formulas. */
export function Line({ text }: { text: string }) {
  return <Spans spans={spans(text)} />;
}

function Spans({ spans: parts }: { spans: readonly Span[] }) {
  return (
    <>
      {parts.map((span, index) => (
        <OneSpan key={index} span={span} />
      ))}
    </>
  );
}

function OneSpan({ span }: { span: Span }) {
  switch (span.kind) {
    case "code":
      return <code>{span.text}</code>;
    case "math":
      return <Formula text={span.text} />;
    case "strong":
      return (
        <strong>
          <Spans spans={span.spans} />
        </strong>
      );
    case "emphasis":
      return (
        <em>
          <Spans spans={span.spans} />
        </em>
      );
    case "struck":
      return (
        <del>
          <Spans spans={span.spans} />
        </del>
      );
    case "link":
      return (
        <Outside url={span.url}>
          <Spans spans={span.spans} />
        </Outside>
      );
    case "image":
      return <BlockedImage text={span.text} url={span.url} />;
    default:
      return <>{span.text}</>;
  }
}

/** A link out of this computer: its whole address is shown, and the person is asked. */
function Outside({ url, children }: { url: string; children: preact.ComponentChildren }) {
  return (
    <a
      href={url}
      target="_blank"
      rel="noopener noreferrer nofollow"
      referrerpolicy="no-referrer"
      title={url}
      onClick={(event) => {
        if (!confirm(t("leaving", { url }))) event.preventDefault();
      }}
    >
      {children}
    </a>
  );
}

/** Images are never loaded: the address of one can carry words of the conversation away. */
function BlockedImage({ text, url }: { text: string; url: string | null }) {
  const words = t("imageBlocked", { text: text || "…" });
  return <span class="blocked-image">{url === null ? words : <Outside url={url}>{words}</Outside>}</span>;
}
