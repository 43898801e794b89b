// The sound of answers, as the daemon sends it.
import { Player } from "../audio/player";
import { localFault } from "../faults";
import type { ServerMessage } from "../protocol";
import { dispatch, rememberSpeak, state } from "./core";

export const player = new Player((report) => {
  if (report.type === "finished") {
    if (state.value.speaking === report.turn) dispatch({ type: "local/speaking", turn: null });
  } else if (state.value.speaking !== report.turn) dispatch({ type: "local/speaking", turn: report.turn });
});

/** What a message means for the sound. */
export function hear(message: ServerMessage): void {
  if (message.type === "speech_started") {
    player
      .begin(message.turn, message.sample_rate)
      .then(() => {
        if (player.suspended) dispatch({ type: "local/fault", fault: localFault("sound_suspended") });
      })
      .catch((error: unknown) => {
        dispatch({ type: "local/fault", fault: localFault("sound_failed", {}, String(error)) });
      });
  } else if (message.type === "speech_ended") player.end(message.turn);
  else if (message.type === "cancelled" || message.type === "error") player.flush(message.turn);
}

/** Silence now; the text goes on. */
export function hush(): void {
  player.flush();
  if (state.value.speaking !== null) dispatch({ type: "local/speaking", turn: null });
}

export function setSpeak(on: boolean): void {
  rememberSpeak(on);
  if (!on) hush();
}
