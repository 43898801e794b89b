// The banner: what stands between the page and the daemon, with a countdown and what to do.
import { useEffect, useState } from "preact/hooks";
import { t } from "../../i18n";
import { reconnect, state } from "../../store";
import { Line } from "../chat/rich_text";

export function Banner() {
  const { link } = state.value;
  if (link.phase === "open") return null;
  if (link.phase === "connecting" && !link.again) {
    return (
      <div class="banner" role="status">
        <span>{t("connecting")}</span>
      </div>
    );
  }
  if (link.phase === "incompatible") {
    return (
      <div class="banner warning" role="alert">
        <span>{t("incompatible")}</span>
        <button type="button" onClick={() => location.reload()}>
          {t("reload")}
        </button>
      </div>
    );
  }
  const signedOut = link.phase === "waiting" && link.signedOut;
  return (
    <div class="banner warning">
      <span role="status">
        <strong>{t(signedOut ? "signedOut" : "connectionLost")}</strong>{" "}
        <Line text={t(signedOut ? "signedOutHint" : "connectionLostHint")} />
      </span>
      {!signedOut && <Countdown until={link.phase === "waiting" ? link.retryAt : 0} />}
      <button type="button" onClick={reconnect}>
        {t("reconnectNow")}
      </button>
    </div>
  );
}

/** Seen, but not read out each second; 0 while a try is under way. */
function Countdown({ until }: { until: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [until]);
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return (
    <span class="countdown" role="timer">
      {t("reconnectingIn", { seconds })}
    </span>
  );
}
