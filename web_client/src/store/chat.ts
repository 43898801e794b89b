// What a person does in a conversation: ask, stop, ask again, go on from an earlier message.
import { judge, tells } from "../composer";
import { localFault } from "../faults";
import { t } from "../i18n";
import { type ChatMessage, shown } from "../state";
import { ask, connection, reload } from "./connected";
import { dispatch, draft, speak, state, turn } from "./core";
import { hush, player } from "./sound";

let toldTyping = -Infinity;

/** The text in the composer has changed by hand. */
export function type(text: string): void {
  draft.value = text;
  const now = performance.now();
  if (!connection.open || !tells(text, now - toldTyping)) return;
  toldTyping = now;
  void ask({ type: "typing" });
}

/** Sends what was typed, if it may be sent. */
export function submit(typed: string): void {
  const verdict = judge(typed, state.value.commands);
  if (!verdict.send) {
    if (verdict.fault !== null) dispatch({ type: "local/fault", fault: verdict.fault });
    return;
  }
  if (send(verdict.text, state.value.current)) draft.value = "";
}

/** Sends a text; it takes the place of `instead` and of all after it. False while there is no connection. */
function send(text: string, session: string | null, instead?: ChatMessage): boolean {
  if (!connection.open) {
    dispatch({ type: "local/fault", fault: localFault("connection_lost") });
    return false;
  }
  hush();
  player.unlock();
  const place = instead?.id == null ? {} : { replaces: instead.id };
  const { id, reply } = connection.request({ type: "submit", text, session, speak: speak.value, ...place });
  dispatch({
    type: "local/submitted",
    request: id,
    session,
    text,
    ...(instead === undefined ? {} : { instead: instead.key }),
  });
  reply
    .then((message) => {
      // What was to be replaced is still there when the daemon refuses.
      if (message.type === "refused" && instead?.id != null && session !== null) void reload(session);
    })
    .catch(() => dispatch({ type: "local/request_failed", request: id, fault: localFault("connection_lost") }));
  return true;
}

/** Stops the running turn in all its stages, and all sound. */
export function stop(): void {
  silence();
  if (turn.value !== null) void ask({ type: "cancel", turn: turn.value });
}

/** Asks the question of an answer again; the new answer takes the place of the old one. */
export async function regenerate(answer: ChatMessage): Promise<void> {
  const question = await questionOf(answer.key);
  if (question !== null) send(question.content, state.value.current, question);
}

/** Asks a changed question in a branch of the conversation; the conversation itself stays as it is. */
export async function askInBranch(key: string, typed: string): Promise<void> {
  const verdict = judge(typed, state.value.commands);
  if (!verdict.send) {
    if (verdict.fault !== null) dispatch({ type: "local/fault", fault: verdict.fault });
    return;
  }
  const question = await questionOf(key);
  const session = state.value.current;
  if (question === null || session === null) return;
  if (question.id === null) {
    send(verdict.text, session, question);
    return;
  }
  const reply = await ask({ type: "branch_session", session, before: question.id });
  if (reply?.type !== "session") return;
  dispatch({ type: "local/selected", session: reply.session.id });
  await reload(reply.session.id);
  send(verdict.text, reply.session.id);
}

/** Silence now, also of what is read aloud; an answer goes on as text. */
export function silence(): void {
  const { speaking, reading } = state.value;
  hush();
  if (reading !== null && speaking === reading.turn) connection.request({ type: "cancel", turn: reading.turn });
}

/** Lets the model go on where its answer ended. */
export function goOn(): void {
  send(t("continuePrompt"), state.value.current);
}

/** Has an answer spoken again. */
export async function readAloud(answer: ChatMessage): Promise<void> {
  hush();
  player.unlock();
  const session = state.value.current;
  const known = await numbered(() => shown(state.value).find((message) => message.key === answer.key) ?? null);
  if (session === null || known?.id == null) return;
  const reply = await ask({ type: "read_aloud", session, message: known.id });
  if (reply?.type === "reading") dispatch({ type: "local/reading", message: answer.key, turn: reply.turn });
}

/** The question at or before the message, with the daemon's number if the daemon has it. */
function questionOf(key: string): Promise<ChatMessage | null> {
  return numbered(() => {
    const messages = shown(state.value);
    const at = messages.findIndex((message) => message.key === key);
    return messages.slice(0, at + 1).findLast((message) => message.role === "user") ?? null;
  });
}

/** What `find` finds, after asking for the conversation again if the daemon's number of it is not known yet. */
async function numbered(find: () => ChatMessage | null): Promise<ChatMessage | null> {
  const found = find();
  const session = state.value.current;
  if (found === null || found.id !== null || found.turn === null || session === null) return found;
  await reload(session);
  return find();
}
