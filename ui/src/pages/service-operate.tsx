// What a person does to a running service: how many, which change, which
// command, and keeping the appliance's hands off it for a while.
import { useState } from "react";
import { endMaintenance, invocation, invoke, maintain, recover, scale, steer, update, useAction } from "../api/actions";
import { useRevisions, useScaling } from "../api/queries";
import type { Invocation, Rollout, ScalingDecision, Service } from "../api/types";
import { useParam } from "../parts/address";
import { Badge } from "../parts/badge";
import { Dialog } from "../parts/dialog";
import { title } from "../parts/format";
import { Failure, Why } from "../parts/notice";
import { Ago } from "../parts/time";

export function Operate({ service: s }: { service: Service }) {
  if (s.phase === "removed" || s.phase === "removing") return null;
  return (
    <>
      <Waits service={s} />
      {s.rollout && <Change service={s} rollout={s.rollout} />}
      <Scale service={s} />
      <Commands service={s} />
      <Revisions service={s} />
      <Maintenance service={s} />
    </>
  );
}

// Waits is for the service that lost a machine and may not go on without a person.
function Waits({ service: s }: { service: Service }) {
  const [doing, setDoing] = useParam("do");
  const run = useAction(recover.bind(null, s.name), () => setDoing("", true));
  const waiting = (s.instanceList ?? []).filter((i) => i.heal?.stage === "waiting");
  if (waiting.length === 0) return null;
  return (
    <section className="notice warn" aria-labelledby="waits-head">
      <h2 id="waits-head">It waits for a decision</h2>
      {waiting.map((i) => (
        <p key={i.id}>Instance {i.number} lost its machine <Ago at={i.heal?.since ?? i.updatedAt} /> and nobody has proved that it is off, or there is neither replica nor backup.</p>
      ))}
      <div className="buttons">
        <button type="button" onClick={() => setDoing("machine-off")}>Its machine is off …</button>
        <button type="button" className="danger" onClick={() => setDoing("without-data")}>Start without its data …</button>
      </div>
      {(doing === "machine-off" || doing === "without-data") && (
        <Dialog
          title={doing === "machine-off" ? "The machine is off" : "Start without the data"}
          verb={doing === "machine-off" ? "I have looked: it is off" : "Start without the data"}
          danger
          typed={s.name}
          busy={run.isPending}
          error={run.error}
          failed="It was not recorded."
          onClose={() => setDoing("", true)}
          onConfirm={() => run.mutate(doing === "machine-off" ? { machineOff: true } : { withoutData: true })}
        >
          <p>
            {doing === "machine-off"
              ? "The service is started on another machine. If the old one still runs, two copies write: be at its plug before you say this."
              : "The service begins empty on another machine. The old machine's disks stay protected until somebody releases them."}
          </p>
        </Dialog>
      )}
    </section>
  );
}

function Change({ service: s, rollout: r }: { service: Service; rollout: Rollout }) {
  const go = useAction(steer.bind(null, s.name));
  const over = Boolean(r.endedAt);
  const target = r.stage === "back" || r.stage === "undone" ? r.from : r.to;
  const at = (s.instanceList ?? []).filter((i) => i.revision === target && i.phase !== "removed");
  const running = at.filter((i) => i.phase === "running").length;
  return (
    <section aria-labelledby="change-head">
      <h2 id="change-head">Change to revision {r.to}</h2>
      <div className="card wide">
        <div className="card-line">
          <Badge tone={r.stage === "failed" ? "bad" : r.stage === "undone" || r.stage === "back" || r.stage === "approval" ? "warn" : over ? "ok" : "busy"}>{r.paused ? "paused" : stages[r.stage] ?? r.stage}</Badge>
          <span className="num">{running} of {s.instances} run revision {target}</span>
          <span className="dim">
            from {r.from}, by {r.by}, {over ? <>ended <Ago at={r.endedAt ?? r.startedAt} /></> : <>begun <Ago at={r.startedAt} /></>}
          </span>
        </div>
        {r.cause && <Why cause={r.cause} />}
        {!over && (
          <div className="buttons">
            {r.stage === "approval" && (
              <button type="button" className="primary" disabled={go.isPending} onClick={() => go.mutate("promote")}>Promote</button>
            )}
            <button type="button" disabled={go.isPending} onClick={() => go.mutate(r.paused ? "resume" : "pause")}>{r.paused ? "Resume" : "Pause"}</button>
            {r.stage !== "back" && (
              <button type="button" className="danger" disabled={go.isPending} onClick={() => go.mutate("undo")}>Go back to revision {r.from}</button>
            )}
          </div>
        )}
        {go.error && <Failure what={`The change of ${s.name} was not steered.`} error={go.error} />}
      </div>
    </section>
  );
}

const stages: Record<string, string> = {
  canary: "on the first instances", approval: "waits for a person", rolling: "rolling", back: "going back", done: "done", undone: "gone back", failed: "failed",
};

function Scale({ service: s }: { service: Service }) {
  const view = useScaling(s.name);
  const [wanted, setWanted] = useState(String(s.instances));
  const run = useAction(scale.bind(null, s.name));
  const v = view.data;
  if (!v || (!v.elastic && v.min === v.max)) return null;
  const decisions = (v.decisions ?? []).slice(-5).reverse();
  return (
    <section aria-labelledby="scale-head">
      <h2 id="scale-head">Instances wanted</h2>
      <form
        className="inline"
        onSubmit={(e) => {
          e.preventDefault();
          run.mutate(Number(wanted));
        }}
      >
        <label className="pick">
          <span>How many, {v.min} to {v.max || "any"}</span>
          <input type="number" inputMode="numeric" min={v.min} max={v.max || undefined} value={wanted} required onChange={(e) => setWanted(e.target.value)} />
        </label>
        <button type="submit" disabled={run.isPending || Number(wanted) === s.instances}>Scale</button>
      </form>
      {run.error && <Failure what={`${s.name} was not scaled.`} error={run.error} />}
      {(v.rules.rules ?? []).length > 0 && <Decision decision={v.now} now />}
      {decisions.length > 0 && (
        <details>
          <summary>{decisions.length === 1 ? "The last decision" : `The last ${decisions.length} decisions`}</summary>
          {decisions.map((d) => (
            <Decision key={d.seq} decision={d} />
          ))}
        </details>
      )}
    </section>
  );
}

function Decision({ decision: d, now = false }: { decision: ScalingDecision; now?: boolean }) {
  return (
    <div className="decision">
      <p>
        {now ? "Now: " : <><Ago at={d.at} />: {d.from === d.to ? `${d.to}` : `${d.from} to ${d.to}`}, by {d.by}. </>}
        {title(d.why)}
      </p>
      {(d.numbers ?? []).length > 0 && (
        <ul className="dim">
          {(d.numbers ?? []).map((n) => (
            <li key={n.rule.name ?? n.rule.metric}>
              {n.rule.metric}: {n.known ? n.value.toPrecision(4) : "not known"}; {n.verdict}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Commands({ service: s }: { service: Service }) {
  const all = s.recipe.commands ?? [];
  if (all.length === 0) return null;
  return (
    <section aria-labelledby="commands-head">
      <h2 id="commands-head">Commands</h2>
      {all.map((name) => (
        <Command key={name} service={s} name={name} />
      ))}
    </section>
  );
}

function Command({ service: s, name }: { service: Service; name: string }) {
  const [args, setArgs] = useState("");
  const [on, setOn] = useState("");
  const run = useAction(async () => {
    const rolling = on === "rolling";
    const begun = await invoke(s.name, name, { args: words(args), ...(on && !rolling ? { instance: Number(on) } : {}), ...(rolling ? { rolling } : {}) });
    let i = begun;
    while (!i.done) i = await invocation(s.name, begun.id);
    return i;
  });
  return (
    <form
      className="inline command"
      aria-label={`Command ${name}`}
      onSubmit={(e) => {
        e.preventDefault();
        run.mutate(undefined);
      }}
    >
      <code className="command-name">{name}</code>
      <label className="pick">
        <span>Arguments</span>
        <input value={args} onChange={(e) => setArgs(e.target.value)} autoComplete="off" spellCheck={false} placeholder='one "and two"' />
      </label>
      <label className="pick">
        <span>On</span>
        <select value={on} onChange={(e) => setOn(e.target.value)}>
          <option value="">all instances</option>
          <option value="rolling">one after the other</option>
          {(s.instanceList ?? []).filter((i) => i.phase === "running").map((i) => (
            <option key={i.id} value={i.number}>instance {i.number}</option>
          ))}
        </select>
      </label>
      <button type="submit" disabled={run.isPending}>{run.isPending ? "Running …" : "Run"}</button>
      {run.error && <Failure what={`${name} was not run.`} error={run.error} />}
      {run.data && <Results of={run.data} />}
    </form>
  );
}

function Results({ of }: { of: Invocation }) {
  return (
    <ul className="results" aria-live="polite">
      {(of.results ?? []).map((r) => (
        <li key={r.instance}>
          <Badge tone={r.status === "done" ? "ok" : r.status === "failed" ? "bad" : "busy"}>instance {r.number}: {r.status}</Badge>
          {r.value !== undefined && r.value !== null && <code>{typeof r.value === "string" ? r.value : JSON.stringify(r.value)}</code>}
          {r.cause && <Why cause={r.cause} />}
          {r.output && <pre>{r.output}</pre>}
        </li>
      ))}
    </ul>
  );
}

/** words cuts a line into words at blanks, as a shell does with double quotes. */
export function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((m) => m[1] ?? m[2] ?? "");
}

function Revisions({ service: s }: { service: Service }) {
  const revisions = useRevisions(s.name);
  const back = useAction((toRevision: number) => update(s.name, { toRevision }));
  const all = [...(revisions.data ?? [])].reverse();
  const busy = Boolean(s.rollout && !s.rollout.endedAt);
  if (all.length < 2) return null;
  return (
    <section aria-labelledby="revisions-head">
      <h2 id="revisions-head">Revisions</h2>
      <table className="plain">
        <thead>
          <tr>
            <th scope="col" className="num">No.</th>
            <th scope="col">Recipe</th>
            <th scope="col">By</th>
            <th scope="col"><span className="sr">Action</span></th>
          </tr>
        </thead>
        <tbody>
          {all.map((r) => (
            <tr key={r.number}>
              <th scope="row" className="num">{r.number}</th>
              <td>{r.recipe.name} <code>{r.recipe.digest.replace("sha256:", "").slice(0, 12)}</code></td>
              <td className="dim">{r.by}, <Ago at={r.at} /></td>
              <td>
                {r.number === s.revision ? (
                  "now"
                ) : (
                  <button type="button" className="quiet" disabled={busy || back.isPending} onClick={() => back.mutate(r.number)}>
                    Go to revision {r.number}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {back.error && <Failure what={`${s.name} was not changed.`} error={back.error} />}
    </section>
  );
}

function Maintenance({ service: s }: { service: Service }) {
  const begin = useAction((hours: number) => maintain(s.name, hours * 3600));
  const end = useAction(() => endMaintenance(s.name));
  const [hours, setHours] = useState("1");
  const m = s.maintenance;
  return (
    <section aria-labelledby="maintenance-head">
      <h2 id="maintenance-head">Maintenance</h2>
      {m ? (
        <p>
          Nothing of it is healed or scaled since <Ago at={m.since} />{m.until && <>, until <Ago at={m.until} /></>}, by {m.by}{m.reason && `: ${m.reason}`}.{" "}
          <button type="button" disabled={end.isPending} onClick={() => end.mutate(undefined)}>End maintenance</button>
        </p>
      ) : (
        <form
          className="inline"
          onSubmit={(e) => {
            e.preventDefault();
            begin.mutate(Number(hours));
          }}
        >
          <label className="pick">
            <span>Leave it alone for</span>
            <select value={hours} onChange={(e) => setHours(e.target.value)}>
              <option value="1">an hour</option>
              <option value="8">8 hours</option>
              <option value="0">as long as I say</option>
            </select>
          </label>
          <button type="submit" disabled={begin.isPending}>Begin maintenance</button>
        </form>
      )}
      {(begin.error ?? end.error) !== null && <Failure what={`The maintenance of ${s.name} was not changed.`} error={begin.error ?? end.error} />}
    </section>
  );
}
