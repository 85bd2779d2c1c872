// What needs a person, each with its remedy as a button.
import { useState } from "react";
import { Link } from "wouter";
import { retry, retryService, useAction } from "../api/actions";
import { enc } from "../api/client";
import type { Attention } from "../api/types";
import { Failure, Why } from "../parts/notice";
import { Ago } from "../parts/time";

const few = 6;

export function Wanted({ wanted }: { wanted: Attention[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? wanted : wanted.slice(0, few);
  return (
    <section aria-labelledby="wanted-head">
      <h2 id="wanted-head">Needs a person</h2>
      {wanted.length === 0 && <p className="dim">Nothing.</p>}
      <ul className="cards">
        {shown.map((a) => (
          <Item key={`${a.machine}/${a.service}/${a.cause.code}`} item={a} />
        ))}
      </ul>
      {wanted.length > few && (
        <button type="button" className="quiet" onClick={() => setAll(!all)} aria-expanded={all}>
          {all ? "Show fewer" : `Show all ${wanted.length}`}
        </button>
      )}
    </section>
  );
}

function Item({ item: a }: { item: Attention }) {
  const isService = a.service !== undefined && a.service !== "";
  const about = isService ? `/services/${enc(a.service!)}` : `/machines/${enc(a.machine ?? "")}`;
  return (
    <li className={`card tone-${tone(a)}`}>
      <div className="card-line">
        <Link href={about} className="card-title" data-row>{a.name}</Link>
        <span className="dim">
          <Ago at={a.cause.at} />
        </span>
      </div>
      <Why cause={a.cause} />
      <Remedy item={a} about={about} />
    </li>
  );
}

function tone(a: Attention): string {
  if (a.action === "accept") return "new";
  return a.action === "retry" || a.cause.code === "machine.agent" ? "bad" : "warn";
}

// Remedy is a deed where nothing can be lost, else the way to the question.
function Remedy({ item: a, about }: { item: Attention; about: string }) {
  const again = useAction(() => (a.service ? retryService(a.service).then(() => undefined) : retry(a.machine ?? "").then(() => undefined)));
  switch (a.action) {
    case "accept":
      return <Link href={`${about}?do=accept`} className="button primary" aria-label={`Accept ${a.name}`}>Accept …</Link>;
    case "release":
      return <Link href={`${about}?do=release`} className="button" aria-label={`Release ${a.name}`}>Release …</Link>;
    case "decide":
      return <Link href={about} className="button" aria-label={`Decide about ${a.name}`}>Decide …</Link>;
    case "power":
      return <Link href={about} className="button" aria-label={`Look at it: ${a.name}`}>Look at it</Link>;
    case "retry":
      return (
        <>
          <button type="button" onClick={() => again.mutate(undefined)} disabled={again.isPending} aria-label={`Retry ${a.name}`}>
            {again.isPending ? "…" : "Retry"}
          </button>
          {again.error && <Failure what={`${a.name} was not tried again.`} error={again.error} />}
        </>
      );
  }
  return null;
}
