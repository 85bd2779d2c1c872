// What is this machine doing, and why is it stuck?
import { useState } from "react";
import { Link } from "wouter";
import { cancel, inspect, retry, useAction } from "../api/actions";
import { enc } from "../api/client";
import { isOpen, useConsole, useEvents, useMachine } from "../api/queries";
import type { Machine } from "../api/types";
import { useParam } from "../parts/address";
import { Conditions, Phase, Power } from "../parts/badge";
import { EventList } from "../parts/events";
import { useFlash } from "../parts/flash";
import { Lines } from "../parts/lines";
import { Failure, Waiting, Why } from "../parts/notice";
import { Bar } from "../parts/progress";
import { Head } from "../parts/shell";
import { Steps } from "../parts/steps";
import { Ago, Since } from "../parts/time";
import { AcceptDialog, PowerDialog, ReleaseDialog } from "./machine-questions";
import { BootTimeline } from "./machine-boot";
import { Hardware } from "./machine-hardware";

export function MachinePage({ id }: { id: string }) {
  const machine = useMachine(id);
  const m = machine.data;
  if (!m) {
    return (
      <>
        <Head title={`Machine ${id}`} />
        <Waiting of={machine} what={`Machine ${id}`} />
      </>
    );
  }
  return (
    <>
      <Head title={m.name}>
        <span className="badges">
          <Phase phase={m.phase} />
          <Power machine={m} />
          <Conditions machine={m} />
          {m.service && (
            <Link href={`/services/${enc(m.service)}`}>
              service {m.service}
            </Link>
          )}
        </span>
      </Head>
      <Sentence machine={m} />
      <div className="split">
        <div>
          <OperationSteps machine={m} />
          <BootTimeline id={id} />
          <History id={id} machine={m} />
          <Console id={id} />
        </div>
        <Hardware machine={m} />
      </div>
    </>
  );
}

function Sentence({ machine: m }: { machine: Machine }) {
  const flash = useFlash(m.phase + (m.operation?.step ?? "") + (m.operation?.status ?? ""));
  const open = isOpen(m.operation?.status);
  return (
    <div className={`sentence ${flash ? "changed" : ""}`}>
      <p aria-live="polite" className="says">{m.sentence}</p>
      {open && m.operation!.status === "running" && m.live.progress && <Bar progress={m.live.progress} label="Progress of the step" />}
      <Actions machine={m} />
    </div>
  );
}

type Doing = "accept" | "release" | "on" | "off" | "soft" | "cycle" | "";

function Actions({ machine: m }: { machine: Machine }) {
  const [doing, setDoing] = useParam("do");
  const [done, setDone] = useState("");
  const close = () => setDoing("", true);
  const again = useAction(() => retry(m.id));
  const stop = useAction(() => cancel(m.id));
  const look = useAction(() => inspect(m.id));
  const may = (what: string) => m.allowed?.includes(what) ?? false;
  const open = isOpen(m.operation?.status);
  const power = m.conditions?.power?.value;
  const isTrue = (c: string) => m.conditions?.[c]?.value === "true";
  const ask = (what: Doing, text: string, tone = "") => (
    <button type="button" className={tone} onClick={() => setDoing(what)}>
      {text} …
    </button>
  );
  const failed = again.error ?? stop.error ?? look.error;
  const what = again.error ? `${m.name} was not tried again.` : stop.error ? `The ${m.operation?.kind} was not cancelled.` : `${m.name} was not inspected.`;
  return (
    <>
      <div className="buttons">
        {may("enrol") && ask("accept", m.phase === "retired" ? "Enrol again" : "Accept", "primary")}
        {(isTrue("broken") || (open && m.operation!.waiting === "operator")) && (
          <button type="button" className="primary" onClick={() => again.mutate(undefined)} disabled={again.isPending}>
            Retry
          </button>
        )}
        {open && (
          <button type="button" onClick={() => stop.mutate(undefined)} disabled={stop.isPending || Boolean(m.operation!.cancelAsked)}>
            {m.operation!.cancelAsked ? "Is being cancelled" : "Cancel"}
          </button>
        )}
        {may("inspect") && (
          <button type="button" onClick={() => look.mutate(undefined)} disabled={look.isPending} title="Take the inventory again; it restarts into the agent">
            Inspect
          </button>
        )}
        {!open && (may("release") || isTrue("protected") || isTrue("hold")) && ask("release", "Release")}
        {may("power") && power !== "on" && ask("on", "Power on")}
        {may("power") && power !== "off" && ask("soft", "Shut down")}
        {may("power") && power !== "off" && ask("cycle", "Power cycle")}
        {may("power") && power !== "off" && ask("off", "Power off")}
      </div>
      {done && <p role="status" className="dim">{done}</p>}
      {failed && <Failure what={what} error={failed} />}
      {doing === "accept" && may("enrol") && <AcceptDialog machine={m} onClose={close} />}
      {doing === "release" && <ReleaseDialog machine={m} onClose={close} />}
      {(doing === "on" || doing === "off" || doing === "soft" || doing === "cycle") && may("power") && (
        <PowerDialog machine={m} action={doing} onClose={close} onDone={setDone} />
      )}
    </>
  );
}

function OperationSteps({ machine: m }: { machine: Machine }) {
  const op = m.operation;
  if (!op) return null;
  const open = isOpen(op.status);
  return (
    <section aria-labelledby="operation-head">
      <div className="section-head">
        <h2 id="operation-head">{open ? `Operation: ${op.kind}` : `Last operation: ${op.kind}, ${op.status}`}</h2>
        <span className="dim">
          by {op.by}
          {op.startedAt && (
            <>
              , {open ? "for " : "took "}
              <Since from={op.startedAt} to={op.endedAt} />
            </>
          )}
          {op.endedAt && (
            <>
              , <Ago at={op.endedAt} />
            </>
          )}
        </span>
      </div>
      {op.cause && !(m.steps ?? []).some((s) => s.cause) && <Why cause={op.cause} />}
      {(m.steps ?? []).length > 0 && (
        <Steps
          steps={m.steps ?? []}
          progress={m.live.progress}
          output={(s) =>
            s.output ? (
              <details>
                <summary>Output</summary>
                <pre>{s.output}</pre>
              </details>
            ) : null
          }
        />
      )}
    </section>
  );
}

function History({ id, machine: m }: { id: string; machine: Machine }) {
  const events = useEvents({ machine: id });
  return (
    <section aria-labelledby="history-head">
      <div className="section-head">
        <h2 id="history-head">What happened</h2>
        <Link href={`/events?machine=${enc(m.name)}`}>All its events</Link>
      </div>
      {!events.data ? (
        <Waiting of={events} what="The events" />
      ) : events.data.length === 0 ? (
        <p className="dim">Nothing yet.</p>
      ) : (
        <div className="scroll" tabIndex={0} role="region" aria-label="Events of this machine">
          <EventList events={events.data.slice(-60)} names={() => m.name} links={false} />
        </div>
      )}
    </section>
  );
}

function Console({ id }: { id: string }) {
  const lines = useConsole(id);
  return (
    <section aria-labelledby="console-head">
      <h2 id="console-head">Console</h2>
      {!lines.data ? (
        <Waiting of={lines} what="The console" />
      ) : lines.data.length === 0 ? (
        <p className="dim">No lines yet: they come from the machine's serial console, where its BMC carries one.</p>
      ) : (
        <Lines lines={lines.data} label="Console, live" />
      )}
    </section>
  );
}
