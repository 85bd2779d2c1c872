// One service: how it is, where it answers, what its instances do.
import { useId, useState } from "react";
import { Link } from "wouter";
import { remove, retryService, reveal, useAction } from "../api/actions";
import { enc } from "../api/client";
import { useLogs, useService } from "../api/queries";
import type { Attribute, Instance, LogLine, Service, Step } from "../api/types";
import { useParam } from "../parts/address";
import { Badge } from "../parts/badge";
import { Dialog } from "../parts/dialog";
import { count } from "../parts/format";
import { useFlash } from "../parts/flash";
import { Lines } from "../parts/lines";
import { Copy } from "../parts/mono";
import { Failure, Waiting, Why } from "../parts/notice";
import { Head } from "../parts/shell";
import { Steps } from "../parts/steps";
import { Ago } from "../parts/time";
import { servicePhaseTone } from "../parts/words";
import { Measures } from "./service-measures";
import { Operate } from "./service-operate";

export function ServicePage({ name }: { name: string }) {
  const service = useService(name);
  const s = service.data;
  if (!s) {
    return (
      <>
        <Head title={`Service ${name}`} />
        <Waiting of={service} what={`Service ${name}`} />
      </>
    );
  }
  return (
    <>
      <Head title={s.name}>
        <span className="badges">
          <Badge tone={servicePhaseTone(s.phase)}>{s.phase}</Badge>
          <span className="dim">
            {s.application && (
              <>
                of application <Link href={`/applications/${enc(s.application)}`}>{s.application}</Link>,{" "}
              </>
            )}
            recipe {s.recipe.name}, template <code>{s.template}</code>, image {s.image}, by {s.by} <Ago at={s.createdAt} />
          </span>
        </span>
      </Head>
      <Sentence service={s} />
      <Instances service={s} />
      <Measures service={s} />
      <Operate service={s} />
      <Attributes service={s} />
    </>
  );
}

function Sentence({ service: s }: { service: Service }) {
  const [doing, setDoing] = useParam("do");
  const again = useAction(() => retryService(s.name));
  const flash = useFlash(s.phase);
  const failed = s.phase === "failed" || (s.instanceList ?? []).some((i) => i.phase === "failed" || i.cause);
  const over = s.phase === "removing" || s.phase === "removed";
  return (
    <div className={`sentence ${flash ? "changed" : ""}`}>
      <p className="says" aria-live="polite">{s.sentence}</p>
      {s.cause && <Why cause={s.cause} quiet />}
      {(s.endpoints ?? []).length > 0 && (
        <p className="endpoints">
          Answers at{" "}
          {(s.endpoints ?? []).map((e) => (
            <Copy key={e} text={e} label="endpoint" />
          ))}
        </p>
      )}
      <div className="buttons">
        {failed && s.phase !== "removed" && (
          <button type="button" className="primary" onClick={() => again.mutate(undefined)} disabled={again.isPending}>
            Retry
          </button>
        )}
        {!over && (
          <button type="button" onClick={() => setDoing("remove")}>
            Remove …
          </button>
        )}
        <Link className="button" href={`/events?service=${enc(s.name)}`}>Its events</Link>
      </div>
      {again.error && <Failure what={`${s.name} was not tried again.`} error={again.error} />}
      {doing === "remove" && !over && <RemoveDialog service={s} onClose={() => setDoing("", true)} />}
    </div>
  );
}

function RemoveDialog({ service: s, onClose }: { service: Service; onClose: () => void }) {
  const [wipe, setWipe] = useState(false);
  const run = useAction(() => remove(s.name, wipe ? s.name : ""), onClose);
  const box = useId();
  const on = (s.instanceList ?? []).filter((i) => i.machineName);
  return (
    <Dialog
      title={`Remove ${s.name}`}
      verb={wipe ? "Remove and erase" : "Remove"}
      danger
      typed={wipe ? s.name : undefined}
      busy={run.isPending}
      error={run.error}
      failed={`${s.name} was not removed.`}
      onClose={onClose}
      onConfirm={() => run.mutate(undefined)}
    >
      <p>
        {count(s.instances, "instance")} {s.instances === 1 ? "is" : "are"} stopped
        {on.length > 0 && <> on {on.map((i) => i.machineName).join(", ")}</>}; who uses {(s.endpoints ?? []).join(", ") || "it"} loses it.
      </p>
      <label className="check" htmlFor={box}>
        <input id={box} type="checkbox" checked={wipe} onChange={(e) => setWipe(e.target.checked)} />
        <span>Erase its disks, too. Without this they stay protected, its data is kept, and the machines do not go back to the pool until somebody releases them.</span>
      </label>
    </Dialog>
  );
}

function Instances({ service: s }: { service: Service }) {
  const all = s.instanceList ?? [];
  return (
    <section aria-labelledby="instances-head">
      <h2 id="instances-head">Instances</h2>
      {all.length === 0 && <p className="dim">None.</p>}
      <div className="instances">
        {all.map((i) => (
          <InstanceCard key={i.id} instance={i} service={s} />
        ))}
      </div>
    </section>
  );
}

function InstanceCard({ instance: i, service: s }: { instance: Instance; service: Service }) {
  const [open, setOpen] = useParam("output");
  const flash = useFlash(i.phase + i.step);
  const key = (step: Step) => `${i.number}.${step.name}`;
  return (
    <section className={`card wide ${flash ? "changed" : ""}`} aria-label={`Instance ${i.number}`}>
      <div className="card-line">
        <h3>Instance {i.number}</h3>
        <Badge tone={servicePhaseTone(i.phase)}>{i.phase}</Badge>
        {i.machine && (
          <span>
            on <Link href={`/machines/${enc(i.machine)}`}>{i.machineName || i.machine}</Link>
          </span>
        )}
        {i.endpoint && <Copy text={i.endpoint} />}
        {i.runningAt && (
          <span className="dim">
            running since <Ago at={i.runningAt} />
          </span>
        )}
      </div>
      {i.cause && !(i.steps ?? []).some((x) => x.cause) && <Why cause={i.cause} />}
      <Steps
        steps={i.steps ?? []}
        button={(step) => {
          if (step.executor !== "agent" || step.status === "pending") return null;
          const shown = open === key(step);
          return (
            <button type="button" className="quiet" aria-expanded={shown} onClick={() => setOpen(shown ? "" : key(step), true)} aria-label={`Output of ${step.name}, instance ${i.number}`}>
              Output
            </button>
          );
        }}
        output={(step) => open === key(step) && <Output service={s.name} instance={i} step={step} />}
      />
    </section>
  );
}

function Output({ service, instance, step }: { service: string; instance: Instance; step: Step }) {
  const logs = useLogs(service);
  const lines = (logs.data ?? []).filter((l) => l.instance === instance.id && l.step === step.name);
  if (!logs.data) return <Waiting of={logs} what="The output" />;
  const kept: LogLine[] =
    lines.length > 0 || !step.output
      ? lines
      : step.output.trimEnd().split("\n").map((line) => ({ seq: 0, at: step.endedAt ?? step.startedAt ?? instance.updatedAt, step: step.name, line }));
  return kept.length > 0 ? <Lines lines={kept} label={`Output of ${step.name}`} /> : <p className="dim">It has printed nothing{step.status === "running" ? " yet" : ""}.</p>;
}

function Attributes({ service: s }: { service: Service }) {
  const all = s.attributes ?? [];
  if (all.length === 0) return null;
  return (
    <section aria-labelledby="attributes-head">
      <h2 id="attributes-head">Attributes</h2>
      <dl className="pairs boxed">
        {all.map((a) => (
          <div key={a.name}>
            <dt>{a.name}</dt>
            <dd>{a.secret ? <Secret service={s.name} attribute={a} /> : <Copy text={plain(a.value)} label={a.name} />}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

// A secret's value comes only when asked for, stays in this component, and goes with it.
function Secret({ service, attribute: a }: { service: string; attribute: Attribute }) {
  const [value, setValue] = useState<string>();
  const show = useAction(
    () => reveal(service, a.name),
    (v) => setValue(typeof v.value === "string" ? v.value : JSON.stringify(v.value)),
  );
  if (value !== undefined) {
    return (
      <>
        <Copy text={value} label={a.name} />
        <button type="button" className="quiet" onClick={() => setValue(undefined)}>
          Hide
        </button>
      </>
    );
  }
  return (
    <>
      <span aria-hidden="true">••••••••</span>
      <span className="sr">secret</span>{" "}
      <button type="button" onClick={() => show.mutate(undefined)} disabled={show.isPending} aria-label={`Reveal ${a.name}`}>
        Reveal
      </button>{" "}
      <span className="dim">this is recorded</span>
      {show.error && <Failure what={`${a.name} was not revealed.`} error={show.error} />}
    </>
  );
}

function plain(json: string): string {
  try {
    const v: unknown = JSON.parse(json);
    return typeof v === "string" ? v : JSON.stringify(v);
  } catch {
    return json;
  }
}
