// Is everything all right?
import { Link } from "wouter";
import { resumeHealing, useAction } from "../api/actions";
import { enc } from "../api/client";
import { isOpen, useHealing, useMachines, useOverview, useServices } from "../api/queries";
import type { Machine, Overview as OverviewData, Service } from "../api/types";
import { count } from "../parts/format";
import { useFlash } from "../parts/flash";
import { Empty, Failure, Waiting } from "../parts/notice";
import { Bar } from "../parts/progress";
import { Head } from "../parts/shell";
import { Ago, Since } from "../parts/time";
import { health, phases, phaseWord } from "../parts/words";
import { Wanted } from "./attention";

const many = 60; // more machines than this are squares without a name

export function Overview() {
  const overview = useOverview();
  const machines = useMachines();
  const services = useServices();
  const all = machines.data;
  if (!overview.data || !all) {
    return (
      <>
        <Head title="Overview" />
        <Waiting of={overview.error ? overview : machines} what="The overview" />
      </>
    );
  }
  const wanted = overview.data.attention ?? [];
  return (
    <>
      <Head title="Overview">
        <p className="lead">{summary(overview.data, all.length, wanted.length)}</p>
      </Head>
      {overview.data.foreignDhcp && <Foreign address={overview.data.foreignDhcp} />}
      <Stopped />
      {all.length === 0 ? <NoMachines overview={overview.data} /> : <Machines machines={all} />}
      <div className="columns">
        <Wanted wanted={wanted} />
        <Now machines={all} services={services.data ?? []} />
        <Pool overview={overview.data} />
      </div>
    </>
  );
}

function summary(o: OverviewData, machines: number, wanted: number): string {
  const what = `${count(machines, "machine")}, ${count(o.services, "service")}`;
  if (machines === 0) return "Nothing is connected yet.";
  return wanted === 0 ? `Everything is all right: ${what}.` : `${what}; ${wanted === 1 ? "one thing needs" : `${wanted} things need`} a person.`;
}

function Foreign({ address }: { address: string }) {
  return (
    <div className="notice warn" role="alert">
      <strong>Another DHCP server answers on this network: {address}.</strong>
      <p>While it does, the appliance hands out no addresses: two servers would give one address to two machines.</p>
      <p className="remedy">
        Switch that server's DHCP off for this network, or connect the rack to a network of its own. <code>appliance doctor</code> shows what it answers.
      </p>
    </div>
  );
}

// Stopped says that nothing is fenced or replaced, and lets a person go on.
function Stopped() {
  const healing = useHealing();
  const resume = useAction(resumeHealing);
  const h = healing.data;
  if (!h?.stopped) return null;
  const silent = h.machines ?? [];
  return (
    <div className="notice bad" role="alert">
      <strong>Healing is stopped: {h.why}</strong>
      <p>
        By {h.by}{h.since && <>, <Ago at={h.since} /></>}. Nothing is fenced or replaced{silent.length > 0 && <>; silent were {silent.slice(0, 12).join(", ")}{silent.length > 12 && ` and ${silent.length - 12} more`}</>}.
      </p>
      <p className="remedy">Look at what these machines share (a switch, a feed, this appliance's own cable) before healing goes on.</p>
      <div className="buttons">
        <button type="button" disabled={resume.isPending} onClick={() => resume.mutate(undefined)}>Resume healing</button>
      </div>
      {resume.error && <Failure what="Healing was not resumed." error={resume.error} />}
    </div>
  );
}

/** NoMachines teaches how a machine comes. */
export function NoMachines({ overview }: { overview: OverviewData | undefined }) {
  const subnet = overview?.subnets?.[0];
  return (
    <Empty title="No machines yet.">
      <p>
        Connect a server to {overview?.interface ? <code>{overview.interface}</code> : "the appliance's network"}
        {subnet && (
          <>
            {" "}
            (<code>{subnet.prefix}</code>)
          </>
        )}{" "}
        and switch it on, with the network first in its boot order; it appears here within a minute. Nothing is written to it until somebody accepts it.
      </p>
    </Empty>
  );
}

function Machines({ machines }: { machines: Machine[] }) {
  const seen = phases.map((p) => ({ p, n: machines.filter((m) => m.phase === p).length })).filter((x) => x.n > 0);
  const sorted = [...machines].sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  const small = machines.length > many;
  return (
    <section aria-labelledby="machines-head">
      <div className="section-head">
        <h2 id="machines-head">Machines</h2>
        <ul className="legend">
          {seen.map(({ p, n }) => (
            <li key={p}>
              <Link href={`/machines?phase=${p}`} title={phaseWord(p).means}>
                <span className={`key tone-${phaseWord(p).tone}`} aria-hidden="true">
                  {phaseWord(p).letter}
                </span>{" "}
                {n} {p}
              </Link>
            </li>
          ))}
        </ul>
      </div>
      <ul className={small ? "tiles small" : "tiles"}>
        {sorted.map((m) => (
          <Tile key={m.id} machine={m} small={small} />
        ))}
      </ul>
    </section>
  );
}

function Tile({ machine: m, small }: { machine: Machine; small: boolean }) {
  const h = health(m);
  const w = phaseWord(m.phase);
  const flash = useFlash(m.phase + h.word);
  const said = `${m.name}: ${m.phase}, ${h.word}`;
  return (
    <li>
      <Link href={`/machines/${enc(m.id)}`} className={`tile tone-${h.tone} ${flash ? "changed" : ""}`} title={`${said}. ${m.sentence}`} data-row>
        <span className="key" aria-hidden={!small} aria-label={small ? said : undefined} role={small ? "img" : undefined}>
          {w.letter}
          {h.mark}
        </span>
        {!small && (
          <>
            <span className="tile-name">{m.name}</span>
            <span className="tile-state">{h.word === "all right" ? m.service ?? m.phase : h.word}</span>
          </>
        )}
      </Link>
    </li>
  );
}

function Now({ machines, services }: { machines: Machine[]; services: Service[] }) {
  const busy = machines.filter((m) => isOpen(m.operation?.status));
  const moving = services.filter((s) => s.phase === "deploying" || s.phase === "removing");
  return (
    <section aria-labelledby="now-head">
      <h2 id="now-head">Runs now</h2>
      {busy.length + moving.length === 0 && <p className="dim">Nothing: every machine rests or does its work.</p>}
      <ul className="cards">
        {moving.map((s) => (
          <li key={s.name} className="card">
            <Link href={`/services/${enc(s.name)}`} className="card-title" data-row>{s.name}</Link>
            <p>{s.sentence}</p>
          </li>
        ))}
        {busy.map((m) => (
          <li key={m.id} className="card">
            <div className="card-line">
              <Link href={`/machines/${enc(m.id)}`} className="card-title" data-row>{m.name}</Link>
              <span className="dim">
                {m.operation!.kind}
                {m.operation!.startedAt && <>, <Since from={m.operation!.startedAt} /></>}
              </span>
            </div>
            <p>{m.sentence}</p>
            {m.live.progress && m.operation!.status === "running" && <Bar progress={m.live.progress} label={`${m.name}: progress`} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Pool({ overview }: { overview: OverviewData }) {
  const sizes = Object.entries(overview.free).sort(([, a], [, b]) => b - a);
  return (
    <section aria-labelledby="pool-head">
      <h2 id="pool-head">Free in the pool</h2>
      <table className="plain">
        <caption className="sr">How many machines are free, by template</caption>
        <thead>
          <tr>
            <th scope="col">Template</th>
            <th scope="col" className="num">Free</th>
          </tr>
        </thead>
        <tbody>
          {sizes.map(([name, n]) => (
            <tr key={name}>
              <th scope="row">
                <code>{name}</code>
              </th>
              <td className="num">{n}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="dim">A machine that is large enough for several templates counts for each. <Link href="/catalogue">Put a service on one</Link></p>
    </section>
  );
}
