import { Link } from "wouter";
import { enc } from "../api/client";
import { useServices } from "../api/queries";
import type { Service } from "../api/types";
import { useParam } from "../parts/address";
import { Badge } from "../parts/badge";
import { useFlash } from "../parts/flash";
import { Copy } from "../parts/mono";
import { Empty, Waiting } from "../parts/notice";
import { Head } from "../parts/shell";
import { Ago } from "../parts/time";
import { servicePhaseTone } from "../parts/words";

export function Services() {
  const services = useServices();
  const [gone, setGone] = useParam("removed");
  const all = services.data ?? [];
  const shown = all.filter((s) => gone || s.phase !== "removed");
  return (
    <>
      <Head title="Services">
        <span className="head-end">
          {all.some((s) => s.phase === "removed") && (
            <label className="check">
              <input type="checkbox" checked={gone !== ""} onChange={(e) => setGone(e.target.checked ? "yes" : "")} />
              <span>removed ones, too</span>
            </label>
          )}
          <Link href="/catalogue" className="button primary">Deploy a service</Link>
        </span>
      </Head>
      {!services.data ? (
        <Waiting of={services} what="The services" />
      ) : shown.length === 0 ? (
        <Empty title="No services yet.">
          <p>
            Choose a recipe in the <Link href="/catalogue">catalogue</Link>: it takes a free machine, installs its service there and keeps it running. From a terminal: <code>appliance deploy mysql</code>
          </p>
        </Empty>
      ) : (
        <ul className="rows">
          {shown.map((s) => (
            <Row key={s.name} service={s} />
          ))}
        </ul>
      )}
    </>
  );
}

function Row({ service: s }: { service: Service }) {
  const flash = useFlash(s.phase + s.sentence);
  const running = (s.instanceList ?? []).filter((i) => i.phase === "running").length;
  return (
    <li className={`row ${flash ? "changed" : ""}`}>
      <div className="row-main">
        <Link href={`/services/${enc(s.name)}`} className="card-title" data-row>{s.name}</Link>
        <Badge tone={servicePhaseTone(s.phase)}>{s.phase}</Badge>
        <span className="dim num">{running} of {s.instances} running</span>
        <span className="dim">recipe {s.recipe.name}, by {s.by}, <Ago at={s.createdAt} /></span>
      </div>
      <p>{s.sentence}</p>
      {(s.endpoints ?? []).map((e) => (
        <Copy key={e} text={e} label="endpoint" />
      ))}
    </li>
  );
}
