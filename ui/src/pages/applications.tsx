// Applications: services that belong together, each after those it depends on.
import { useState } from "react";
import { Link } from "wouter";
import { removeApplication, useAction } from "../api/actions";
import { enc } from "../api/client";
import { useApplications } from "../api/queries";
import type { Application, Service } from "../api/types";
import { useParam } from "../parts/address";
import { Badge } from "../parts/badge";
import { Dialog } from "../parts/dialog";
import { useFlash } from "../parts/flash";
import { Copy } from "../parts/mono";
import { Empty, Waiting, Why } from "../parts/notice";
import { Head } from "../parts/shell";
import { Ago } from "../parts/time";
import { servicePhaseTone } from "../parts/words";

export function Applications() {
  const applications = useApplications();
  const all = (applications.data ?? []).filter((a) => a.phase !== "removed");
  return (
    <>
      <Head title="Applications">
        <span className="head-end">
          <Link href="/catalogue" className="button primary">Deploy an application</Link>
        </span>
      </Head>
      {applications.data === undefined ? (
        <Waiting of={applications} what="The applications" />
      ) : all.length === 0 ? (
        <Empty title="No applications yet.">
          <p>
            An application is a folder with several recipes and what depends on what. Choose one in the <Link href="/catalogue">catalogue</Link>; from a terminal: <code>appliance deploy webshop</code>
          </p>
        </Empty>
      ) : (
        <ul className="rows">
          {all.map((a) => (
            <Row key={a.name} application={a} />
          ))}
        </ul>
      )}
    </>
  );
}

function Row({ application: a }: { application: Application }) {
  const flash = useFlash(a.phase + a.sentence);
  const members = a.members ?? [];
  return (
    <li className={`row ${flash ? "changed" : ""}`}>
      <div className="row-main">
        <Link href={`/applications/${enc(a.name)}`} className="card-title" data-row>{a.name}</Link>
        <Badge tone={servicePhaseTone(a.phase)}>{a.phase}</Badge>
        <span className="dim num">{members.filter((m) => m.phase === "running").length} of {members.length} services running</span>
        <span className="dim">by {a.by}, <Ago at={a.createdAt} /></span>
      </div>
      <p>{a.sentence}</p>
    </li>
  );
}

export function ApplicationPage({ name }: { name: string }) {
  const applications = useApplications();
  const a = (applications.data ?? []).find((x) => x.name === name);
  if (!a) {
    return (
      <>
        <Head title={`Application ${name}`} />
        {applications.data === undefined ? <Waiting of={applications} what={`Application ${name}`} /> : <Empty title={`There is no application ${name}.`} />}
      </>
    );
  }
  return (
    <>
      <Head title={a.name}>
        <span className="badges">
          <Badge tone={servicePhaseTone(a.phase)}>{a.phase}</Badge>
          <span className="dim">recipe {a.recipe.name}, by {a.by} <Ago at={a.createdAt} /></span>
        </span>
      </Head>
      <Sentence application={a} />
      <section aria-labelledby="members-head">
        <h2 id="members-head">Services, in the order in which they start</h2>
        <ol className="rows">
          {(a.members ?? []).map((s) => (
            <Member key={s.name} service={s} />
          ))}
        </ol>
      </section>
    </>
  );
}

function Sentence({ application: a }: { application: Application }) {
  const [doing, setDoing] = useParam("do");
  const over = a.phase === "removing" || a.phase === "removed";
  return (
    <div className="sentence">
      <p className="says" aria-live="polite">{a.sentence}</p>
      {a.cause && <Why cause={a.cause} quiet />}
      {!over && (
        <div className="buttons">
          <button type="button" onClick={() => setDoing("remove")}>Remove …</button>
        </div>
      )}
      {doing === "remove" && !over && <RemoveDialog application={a} onClose={() => setDoing("", true)} />}
    </div>
  );
}

function RemoveDialog({ application: a, onClose }: { application: Application; onClose: () => void }) {
  const [wipe, setWipe] = useState(false);
  const run = useAction(() => removeApplication(a.name, wipe ? a.name : ""), onClose);
  return (
    <Dialog
      title={`Remove ${a.name}`}
      verb={wipe ? "Remove and erase" : "Remove"}
      danger
      typed={a.name}
      busy={run.isPending}
      error={run.error}
      failed={`${a.name} was not removed.`}
      onClose={onClose}
      onConfirm={() => run.mutate(undefined)}
    >
      <p>{[...(a.services ?? [])].reverse().join(", ")} are stopped in this order; who uses them loses them.</p>
      <label className="check">
        <input type="checkbox" checked={wipe} onChange={(e) => setWipe(e.target.checked)} />
        <span>Erase their disks, too. Without this they stay protected until somebody releases them.</span>
      </label>
    </Dialog>
  );
}

function Member({ service: s }: { service: Service }) {
  const flash = useFlash(s.phase + s.sentence);
  return (
    <li className={`row ${flash ? "changed" : ""}`}>
      <div className="row-main">
        <Link href={`/services/${enc(s.name)}`} className="card-title" data-row>{s.name}</Link>
        <Badge tone={servicePhaseTone(s.phase)}>{s.phase}</Badge>
        {(s.dependsOn ?? []).length > 0 && <span className="dim">after {(s.dependsOn ?? []).join(", ")}</span>}
      </div>
      <p>{s.sentence}</p>
      {(s.endpoints ?? []).map((e) => (
        <Copy key={e} text={e} label="endpoint" />
      ))}
    </li>
  );
}
