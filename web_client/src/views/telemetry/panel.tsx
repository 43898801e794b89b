// The machine in full: ten minutes of charts, how the model is laid out and why, the workers, and what happened.
import { language, say, t } from "../../i18n";
import type { EngineInfo, GpuInfo, PlanInfo, ProcessShare } from "../../protocol";
import { state } from "../../store";
import { bytes, gauges } from "../../telemetry";
import { Dialog } from "../shared/dialog";
import { Charts } from "./charts";
import { engineName, engineWords } from "./engines";
import { Bar, GAUGE_NAMES, shownReading } from "./gauges";
import { Waterfall } from "./waterfall";

export function MachinePanel() {
  return (
    <Dialog name="machine" title={t("machine")} wide>
      <Now />
      <Charts />
      <Waterfall />
      <Plan />
      <Cards />
      <Workers />
      <Events />
    </Dialog>
  );
}

function Now() {
  const { telemetry, lastTokensPerSecond, status } = state.value;
  const fault = status?.gpu_fault;
  return (
    <>
      <dl class="tiles">
        {gauges(telemetry, lastTokensPerSecond).map((gauge) => (
          <div key={gauge.name} class="tile">
            <dt>{t(GAUGE_NAMES[gauge.name])}</dt>
            <dd>
              {shownReading(gauge)}
              {gauge.full !== null && <Bar part={gauge.value / gauge.full} />}
            </dd>
          </div>
        ))}
      </dl>
      {fault != null && <p class="soft">{say(fault.message)}</p>}
    </>
  );
}

function Plan() {
  const engines = state.value.status?.engines ?? {};
  const found = Object.entries(engines).find(([, info]) => info.plan != null);
  if (found === undefined) return null;
  const [, info] = found;
  return info.plan == null ? null : <PlanOf info={info} plan={info.plan} />;
}

function PlanOf({ info, plan }: { info: EngineInfo; plan: PlanInfo }) {
  const facts = [
    t("planContext", { tokens: plan.context.toLocaleString(language.value) }),
    `KV ${plan.kv}`,
    plan.vram > 0 ? `VRAM ${bytes(plan.vram)}` : "",
    `RAM ${bytes(plan.ram)}`,
    plan.experts_on_cpu ? t("planExperts") : "",
  ];
  return (
    <section class="panel-section">
      <h3>{t("plan")}</h3>
      <p>
        <strong>{info.model}</strong>{" "}
        {t("planLayers", { gpu: plan.gpu_layers, cpu: plan.layers - plan.gpu_layers })}
      </p>
      <div class="layers" aria-hidden="true">
        {Array.from({ length: plan.layers }, (_, layer) => (
          <i key={layer} class={layer < plan.gpu_layers ? "gpu" : ""} />
        ))}
      </div>
      <p>{say(plan.reason)}</p>
      <p class="soft">{facts.filter(Boolean).join(" · ")}</p>
    </section>
  );
}

function Cards() {
  const cards = state.value.telemetry?.gpu ?? [];
  if (cards.length === 0) return null;
  return (
    <section class="panel-section">
      <h3>{t("cards")}</h3>
      {cards.map((card) => (
        <Card key={card.index} card={card} />
      ))}
    </section>
  );
}

function Card({ card }: { card: GpuInfo }) {
  const clocks = card.clock_mhz == null ? "" : `${card.clock_mhz} MHz`;
  const slowed = (card.throttle ?? []).map((reason) => say(reason.words));
  const facts = [card.driver ? t("driver", { version: card.driver }) : "", clocks, ...slowed];
  return (
    <>
      <p>
        <strong>{card.name || `GPU ${card.index}`}</strong> <span class="soft">{facts.filter(Boolean).join(" · ")}</span>
      </p>
      {(card.processes ?? []).length > 0 && (
        <ul class="plain-list">
          {(card.processes ?? []).map((process) => (
            <li key={process.pid}>
              {process.worker ? engineName(process.worker) : process.name || process.pid}
              <span class="soft">{process.vram == null ? "" : bytes(process.vram)}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Workers() {
  const { telemetry, status } = state.value;
  const engines = Object.entries(status?.engines ?? {});
  const shares = telemetry?.workers ?? {};
  return (
    <section class="panel-section">
      <h3>{t("engines")}</h3>
      <div class="table-wrap" tabIndex={0} role="region" aria-label={t("engines")}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t("engine")}</th>
              <th scope="col">{t("engineState")}</th>
              <th scope="col">{t("model")}</th>
              <th scope="col" class="number">
                CPU
              </th>
              <th scope="col" class="number">
                RAM
              </th>
            </tr>
          </thead>
          <tbody>
            {engines.map(([name, info]) => (
              <Row key={name} name={engineName(name)} state={engineWords(info.state)} model={info.model ?? ""} share={shares[name]} />
            ))}
            <Row name={t("daemon")} state={status?.version ?? ""} model="" share={telemetry?.daemon ?? undefined} />
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface RowProps {
  name: string;
  state: string;
  model: string;
  share: ProcessShare | undefined;
}

function Row({ name, state: words, model, share }: RowProps) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{words}</td>
      <td class="model">{model}</td>
      <td class="number">{share?.cpu == null ? "" : `${share.cpu.toFixed(0)}%`}</td>
      <td class="number">{share?.rss == null ? "" : bytes(share.rss)}</td>
    </tr>
  );
}

function Events() {
  const { events } = state.value;
  return (
    <section class="panel-section">
      <h3>{t("events")}</h3>
      {events.length === 0 && <p class="soft">{t("noEvents")}</p>}
      <ol class="plain-list">
        {events.map((event) => (
          <li key={event.key}>
            {event.time !== null && <time>{new Date(event.time * 1000).toLocaleTimeString(language.value)}</time>}
            <span>
              {engineName(event.engine)}: {engineWords(event.state)}
              {event.fault !== null && <span class="soft"> {say(event.fault.message)}</span>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
