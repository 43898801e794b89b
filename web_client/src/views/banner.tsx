// The banner: what stands between the page and the daemon, with a countdown and what to do.
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { reconnect, state } from "../store";

export function Banner() {
  const { link } = state.value;
  if (link.phase === "open") return null;
  if (link.phase === "connecting") {
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
  return (
    <div class="banner warning">
      <span role="status">{t(link.signedOut ? "signedOut" : "connectionLost")}</span>
      {!link.signedOut && <Countdown until={link.retryAt} />}
      <button type="button" onClick={reconnect}>
        {t("reconnectNow")}
      </button>
    </div>
  );
}

/** Seen, but not read out each second. */
function Countdown({ until }: { until: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [until]);
  return <span role="timer">{t("reconnectingIn", { seconds: Math.max(0, Math.ceil((until - now) / 1000)) })}</span>;
}
