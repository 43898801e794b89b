// Speaking to the daemon: the microphone is open while the button is held, and what it hears is sent.
import { signal } from "@preact/signals";
import { Microphone } from "../audio/microphone";
import { localFault, microphoneFault } from "../faults";
import { encodeFrame, FrameKind } from "../frames";
import { stop } from "./chat";
import { connection, onLost } from "./connected";
import { dispatch, speak, state, turn } from "./core";
import { hush, player } from "./sound";

/** Loudness at the microphone, 0..1; apart from the state since it changes 50 times a second. */
export const level = signal(0);

interface Talk {
  session: string | null;
  /** The `listen` request; 0 until the first sound is there. */
  request: number;
  microphone: Microphone | null;
  released: boolean;
}

let talk: Talk | null = null;

/** The button is held: opens the microphone and sends what it hears. */
export async function startTalking(): Promise<void> {
  if (talk !== null) return;
  if (!connection.open) {
    dispatch({ type: "local/fault", fault: localFault("connection_lost") });
    return;
  }
  if (turn.value !== null) stop();
  hush();
  player.unlock();
  const mine: Talk = { session: state.value.current, request: 0, microphone: null, released: false };
  talk = mine;
  dispatch({ type: "local/voice", voice: "opening" });
  let sequence = 0;
  try {
    mine.microphone = await Microphone.open({
      block: (samples, loudness) => {
        if (mine.request === 0) {
          if (mine.released) return;
          dispatch({ type: "local/voice", voice: "live" });
          const { id, reply } = connection.request({ type: "listen", session: mine.session, speak: speak.value });
          mine.request = id;
          reply.then((message) => message.type === "refused" && abandonTalk(mine)).catch(() => undefined);
        }
        level.value = loudness;
        const frame = { kind: FrameKind.microphone, stream: mine.request, sequence: sequence++, samples };
        connection.sendFrame(encodeFrame(frame));
      },
      lost: () => {
        dispatch({ type: "local/fault", fault: localFault("microphone_lost") });
        void stopTalking();
      },
    });
  } catch (error) {
    if (talk === mine) finishTalking(mine);
    dispatch({ type: "local/fault", fault: microphoneFault(error) });
    return;
  }
  if (mine.released) await endTalk(mine);
}

/** The button was let go: closes the microphone; the turn begins with what was heard. */
export async function stopTalking(): Promise<void> {
  const mine = talk;
  if (mine === null || mine.released) return;
  mine.released = true;
  if (mine.microphone !== null) await endTalk(mine);
}

async function endTalk(mine: Talk): Promise<void> {
  await mine.microphone?.close();
  finishTalking(mine);
  if (mine.request === 0) return;
  dispatch({ type: "local/listening", request: mine.request, session: mine.session });
  connection.request({ type: "end_listen", listen: mine.request });
}

function finishTalking(mine: Talk): void {
  if (talk === mine) talk = null;
  level.value = 0;
  dispatch({ type: "local/voice", voice: "off" });
}

/** Nothing can be sent, so nothing may be recorded. */
function abandonTalk(mine: Talk): void {
  mine.released = true;
  mine.request = 0;
  void mine.microphone?.close();
  finishTalking(mine);
}

onLost(() => {
  if (talk !== null) abandonTalk(talk);
});
