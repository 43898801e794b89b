import { beforeEach, expect, test } from "vitest";
import { backoff, Connection, ConnectionLost, type ConnectionEvents, type Link } from "../src/connection";
import { codeOf } from "../src/login";
import type { ServerMessage, Status } from "../src/protocol";

class FakeSocket {
  binaryType = "";
  sent: (string | ArrayBuffer)[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(data: string | ArrayBuffer) {
    this.sent.push(data);
  }
  close() {
    this.onclose?.();
  }
  says(message: ServerMessage) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  get last(): { id: number; type: string } {
    return JSON.parse(this.sent.at(-1) as string) as { id: number; type: string };
  }
}

const STATUS: Status = { state: "ready", version: "0", pid: 1, port: 1, engines: {}, gpu: [], sessions: 0 };
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

let sockets: FakeSocket[];
let links: Link[];
let messages: ServerMessage[];
let welcomes: number;
let waits: { milliseconds: number; action: () => void }[];
let alive: boolean;
let connection: Connection;

beforeEach(() => {
  sockets = [];
  links = [];
  messages = [];
  welcomes = 0;
  waits = [];
  alive = false;
  const events: ConnectionEvents = {
    link: (link) => links.push(link),
    welcomed: () => welcomes++,
    message: (message) => messages.push(message),
    frame: () => undefined,
  };
  connection = new Connection(
    {
      socket: () => {
        const socket = new FakeSocket();
        sockets.push(socket);
        return socket as unknown as WebSocket;
      },
      alive: () => Promise.resolve(alive),
      language: () => "ko",
      firstId: () => 41,
      now: () => 1000,
      after: (milliseconds, action) => {
        waits.push({ milliseconds, action });
        return () => undefined;
      },
    },
    events,
  );
});

const newest = () => sockets.at(-1) as FakeSocket;

async function greet(): Promise<void> {
  newest().onopen?.();
  newest().says({ type: "welcome", id: newest().last.id, version: 1, daemon: "0", status: STATUS });
  await settled();
}

test("the first message is a hello with version and language, and a welcome opens", async () => {
  connection.connect();
  newest().onopen?.();
  expect(newest().last).toMatchObject({ type: "hello", version: 1, language: "ko" });
  await greet();
  expect(links.map((link) => link.phase)).toEqual(["connecting", "open"]);
  expect(welcomes).toBe(1);
});

test("replies find their requests in any order, and each request has its own id", async () => {
  connection.connect();
  await greet();
  const first = connection.request({ type: "list_sessions" });
  const second = connection.request({ type: "get_status" });
  newest().says({ type: "status", id: second.id, status: STATUS });
  newest().says({ type: "sessions", id: first.id, sessions: [] });
  expect((await first.reply).type).toBe("sessions");
  expect((await second.reply).type).toBe("status");
});

test("progress is no reply", async () => {
  connection.connect();
  await greet();
  const { id, reply } = connection.request({ type: "pull_model", model: "m" });
  newest().says({ type: "pull_progress", id, model: "m", done: 1, total: 2 });
  newest().says({ type: "ok", id });
  expect((await reply).type).toBe("ok");
  expect(messages.map((message) => message.type)).toContain("pull_progress");
});

test("what is in flight fails when the connection is lost, and it comes back by itself", async () => {
  connection.connect();
  await greet();
  const { reply } = connection.request({ type: "list_sessions" });
  newest().close();
  await expect(reply).rejects.toThrow(ConnectionLost);
  expect(links.at(-1)).toEqual({ phase: "waiting", retryAt: 1300, signedOut: false });
  waits[0]?.action();
  await greet();
  expect(sockets.length).toBe(2);
  expect(welcomes).toBe(2);
  expect(links.at(-1)).toEqual({ phase: "open" });
});

test("a request without a connection fails at once", async () => {
  await expect(connection.request({ type: "list_sessions" }).reply).rejects.toThrow(ConnectionLost);
});

test("a daemon that answers but refuses the socket means that the log-in is missing", async () => {
  alive = true;
  connection.connect();
  newest().close();
  await settled();
  expect(links.at(-1)).toMatchObject({ phase: "waiting", signedOut: true });
});

test("a daemon of another version is not asked again", async () => {
  connection.connect();
  newest().onopen?.();
  const text = { en: "x", ko: "x" };
  newest().says({ type: "refused", id: newest().last.id, fault: { code: "wrong_version", message: text, hint: text } });
  await settled();
  expect(links.at(-1)).toEqual({ phase: "incompatible" });
  expect(waits).toEqual([]);
});

test("waits double up to a limit, and start small again after a success", async () => {
  expect([1, 2, 3, 4, 5, 9].map(backoff)).toEqual([300, 600, 1200, 1800, 1800, 1800]);
  connection.connect();
  newest().close();
  waits[0]?.action();
  newest().close();
  expect(waits.map((wait) => wait.milliseconds)).toEqual([300, 600]);
  waits[1]?.action();
  await greet();
  newest().close();
  expect(waits.at(-1)?.milliseconds).toBe(300);
});

test("the log-in code is read from the fragment alone", () => {
  expect(codeOf("#code=a-b_c")).toBe("a-b_c");
  expect(codeOf("#other=1")).toBeNull();
  expect(codeOf("")).toBeNull();
});
