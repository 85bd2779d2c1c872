// The plan before the deed: which machines, why these, what happens, how long.
import { Link } from "wouter";
import { enc } from "../api/client";
import type { Plan, ServicePlan } from "../api/types";
import { count, nano, span } from "./format";
import { stepWord } from "./words";

export function PlanView({ plan }: { plan: Plan }) {
  const services = plan.services ?? [];
  return (
    <section className="plan" aria-labelledby="plan-head">
      <h2 id="plan-head">The plan</h2>
      {(plan.problems ?? []).length > 0 && (
        <div className="notice warn">
          <strong>As it is, this would wait.</strong>
          <ul>
            {(plan.problems ?? []).map((p) => (
              <li key={p}>{p}</li>
            ))}
          </ul>
        </div>
      )}
      <p>
        It takes about <strong>{span(nano(plan.expected))}</strong>
        {plan.unmeasured ? <span className="dim"> besides {count(plan.unmeasured, "step")} that nothing was measured of yet</span> : null}.
      </p>
      {services.map((s) => (
        <One key={s.service} plan={s} titled={services.length > 1} />
      ))}
    </section>
  );
}

function One({ plan: s, titled }: { plan: ServicePlan; titled: boolean }) {
  const changes = s.changes ?? [];
  const others = s.others ?? [];
  return (
    <div className="card wide">
      {titled && (
        <div className="card-line">
          <h3>{s.service}</h3>
          <span>{s.action}</span>
          {(s.dependsOn ?? []).length > 0 && <span className="dim">starts once {(s.dependsOn ?? []).join(", ")} runs</span>}
        </div>
      )}
      {(s.instances ?? []).map((i) => (
        <div key={i.number}>
          <p>
            Instance {i.number}: {i.machine ? <Link href={`/machines/${enc(i.machine)}`}>{i.name || i.machine}</Link> : "no machine yet"}
            {i.why && <span className="dim">, {i.why}</span>}
          </p>
          <details>
            <summary>{count((i.steps ?? []).length, "step")}, about {span(nano(i.expected))}</summary>
            <ol className="plan-steps">
              {(i.steps ?? []).map((x, n) => (
                <li key={`${n} ${x.name}`}>
                  {stepWord(x.name)} {x.expected ? <span className="dim">{span(nano(x.expected))}</span> : <span className="dim">not measured yet</span>}
                </li>
              ))}
            </ol>
          </details>
        </div>
      ))}
      {changes.length > 0 && (
        <ul className="dim">
          {changes.map((c) => (
            <li key={c.kind + c.name}>{c.change} {c.kind} <code>{c.name}</code>{c.old !== undefined || c.new !== undefined ? `: ${c.old ?? "nothing"} to ${c.new ?? "nothing"}` : ""}</li>
          ))}
        </ul>
      )}
      {others.length > 0 && (
        <details>
          <summary>Why not the others</summary>
          <ul>
            {others.map((o) => (
              <li key={o.machine}>
                <Link href={`/machines/${enc(o.machine)}`}>{o.name}</Link>: {(o.why ?? []).join("; ")}
              </li>
            ))}
          </ul>
          {s.othersLeft ? <p className="dim">And {s.othersLeft} more.</p> : null}
        </details>
      )}
    </div>
  );
}
