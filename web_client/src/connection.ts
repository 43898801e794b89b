// The connection: one WebSocket that greets, matches replies to requests, and comes back by itself.
import { PROTOCOL_VERSION, type ClientMessage, type ServerMessage, type Welcome } from "./protocol";

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;
export type Outgoing = WithoutId<ClientMessage>;

export type Link =
  /** `again` after a lost connection, not at the first try. */
  | { phase: "connecting"; again: boolean }
  | { phase: "open" }
  /** Lost; the next try is at `retryAt`, in milliseconds since the epoch. */
  | { phase: "waiting"; retryAt: number; signedOut: boolean }
  /** The daemon speaks another version: only a reload helps. */
  | { phase: "incompatible" };

export interface ConnectionEvents {
  link(link: Link): void;
  /** The daemon has welcomed us: subscribe and ask again for what is shown. */
  welcomed(welcome: Welcome): void;
  message(message: ServerMessage): void;
  frame(data: ArrayBuffer): void;
}

/** Why a request got no answer. */
export class ConnectionLost extends Error {}

/** What the connection needs from the browser; tests give their own. */
export interface Surroundings {
  socket(): WebSocket;
  /** Whether the daemon answers at all, without a log-in. */
  alive(): Promise<boolean>;
  language(): "en" | "ko";
  /** Where ids begin. Windows begin far apart: a turn that another one asked for is not taken for an own one. */
  firstId(): number;
  now(): number;
  after(milliseconds: number, action: () => void): () => void;
}

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 1_800;

/** How long to wait before try number `failures` (from 1), in milliseconds. */
export function backoff(failures: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS);
}

interface Waiter {
  resolve(message: ServerMessage): void;
  reject(error: Error): void;
}

export class Connection {
  readonly #around: Surroundings;
  readonly #events: ConnectionEvents;
  readonly #inFlight = new Map<number, Waiter>();
  #socket: WebSocket | null = null;
  #open = false;
  #nextId: number;
  #failures = 0;
  #cancelWait: () => void = () => undefined;

  constructor(around: Surroundings, events: ConnectionEvents) {
    this.#around = around;
    this.#events = events;
    this.#nextId = around.firstId();
  }

  get open(): boolean {
    return this.#open;
  }

  /** Connects now, also out of a wait. */
  connect(): void {
    this.#cancelWait();
    if (this.#socket !== null) return;
    this.#events.link({ phase: "connecting", again: this.#failures > 0 });
    const socket = this.#around.socket();
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => void this.#greet(socket);
    socket.onmessage = ({ data }) => this.#receive(data as string | ArrayBuffer);
    socket.onclose = () => void this.#lost(socket);
  }

  /** Sends a request under a new id. The reply is its first answer, `refused` included; `id` names later ones. */
  request(message: Outgoing): { id: number; reply: Promise<ServerMessage> } {
    const id = this.#nextId++;
    const reply = new Promise<ServerMessage>((resolve, reject) => {
      if (!this.#open) return reject(new ConnectionLost());
      this.#inFlight.set(id, { resolve, reject });
      this.#socket?.send(JSON.stringify({ ...message, id }));
    });
    reply.catch(() => undefined);
    return { id, reply };
  }

  sendFrame(data: ArrayBuffer): void {
    if (this.#open) this.#socket?.send(data);
  }

  async #greet(socket: WebSocket): Promise<void> {
    const id = this.#nextId++;
    const answer = new Promise<ServerMessage>((resolve, reject) => this.#inFlight.set(id, { resolve, reject }));
    const hello: ClientMessage = {
      type: "hello",
      id,
      version: PROTOCOL_VERSION,
      client: "page",
      language: this.#around.language(),
    };
    socket.send(JSON.stringify(hello));
    const message = await answer.catch(() => null);
    if (message === null) return;
    if (message.type !== "welcome") {
      this.#socket = null;
      socket.onclose = null;
      socket.close();
      this.#events.link({ phase: "incompatible" });
      return;
    }
    this.#open = true;
    this.#failures = 0;
    this.#events.link({ phase: "open" });
    this.#events.welcomed(message);
  }

  #receive(data: string | ArrayBuffer): void {
    if (typeof data !== "string") return this.#events.frame(data);
    const message = JSON.parse(data) as ServerMessage;
    if ("id" in message && message.id != null && message.type !== "pull_progress") {
      this.#inFlight.get(message.id)?.resolve(message);
      this.#inFlight.delete(message.id);
    }
    this.#events.message(message);
  }

  async #lost(socket: WebSocket): Promise<void> {
    if (this.#socket !== socket) return;
    const wasOpen = this.#open;
    this.#socket = null;
    this.#open = false;
    for (const waiter of this.#inFlight.values()) waiter.reject(new ConnectionLost());
    this.#inFlight.clear();
    this.#failures++;
    const wait = backoff(this.#failures);
    this.#cancelWait = this.#around.after(wait, () => this.connect());
    const retryAt = this.#around.now() + wait;
    this.#events.link({ phase: "waiting", retryAt, signedOut: false });
    // A browser does not tell why a socket was refused. If the daemon answers otherwise, the log-in is what is missing.
    if (!wasOpen && (await this.#around.alive()) && this.#socket === null) {
      this.#events.link({ phase: "waiting", retryAt, signedOut: true });
    }
  }
}

/** The browser's own surroundings. */
export function browserSurroundings(language: () => "en" | "ko"): Surroundings {
  return {
    socket: () => new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/socket`),
    alive: () => fetch("/health", { cache: "no-store" }).then(
      (response) => response.ok,
      () => false,
    ),
    language,
    firstId: () => 1 + Math.floor(Math.random() * 2 ** 31),
    now: () => Date.now(),
    after: (milliseconds, action) => {
      const timer = setTimeout(action, milliseconds);
      return () => clearTimeout(timer);
    },
  };
}
