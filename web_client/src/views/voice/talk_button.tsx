// Hold to talk: by finger, mouse, Space, or one press of Enter to start and one to end.
import { t } from "../../i18n";
import type { Voice } from "../../state";
import { level, startTalking, state, stopTalking } from "../../store";
import { Icon } from "../shared/icons";

const LABELS = { off: "holdToTalk", opening: "openingMicrophone", live: "speakNow" } as const;
/** Speech at a usual distance has about a fifth of full scale; the meter shows that as full. */
const METER_GAIN = 5;

export function TalkButton() {
  const { voice } = state.value;
  return (
    <div class={`talk ${voice}`}>
      <button
        type="button"
        class="round microphone"
        aria-label={t(LABELS[voice])}
        aria-pressed={voice !== "off"}
        title={t(LABELS[voice])}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          void startTalking();
        }}
        onPointerUp={() => void stopTalking()}
        onPointerCancel={() => void stopTalking()}
        onLostPointerCapture={() => void stopTalking()}
        onContextMenu={(event) => event.preventDefault()}
        onBlur={() => void stopTalking()}
        onKeyDown={(event) => onKeyDown(event, voice)}
        onKeyUp={(event) => {
          if (event.key === " ") void stopTalking();
        }}
      >
        <Icon name="microphone" />
      </button>
      {voice !== "off" && <Indicator voice={voice} />}
    </div>
  );
}

function onKeyDown(event: KeyboardEvent, voice: Voice): void {
  if (event.key !== " " && event.key !== "Enter") return;
  event.preventDefault();
  if (event.repeat) return;
  if (event.key === "Enter" && voice !== "off") void stopTalking();
  else void startTalking();
}

/** Shows `live` only once sound has come from the device. */
function Indicator({ voice }: { voice: Exclude<Voice, "off"> }) {
  return (
    <div class="indicator" role="status">
      {voice === "live" && <span class="live-dot" aria-hidden="true" />}
      <span>{t(LABELS[voice])}</span>
      {voice === "live" && <Meter />}
    </div>
  );
}

function Meter() {
  const shown = Math.min(1, level.value * METER_GAIN);
  return (
    <span class="meter" aria-hidden="true">
      <span style={{ transform: `scaleX(${shown.toFixed(2)})` }} />
    </span>
  );
}
