// The networks that machines boot from: who answers there, which address went to whom.
import { Link } from "wouter";
import { releaseLease, useAction } from "../api/actions";
import { enc } from "../api/client";
import { useLeases, useReservations, useSubnets } from "../api/queries";
import type { Lease, Reservation, Subnet } from "../api/types";
import { useParam } from "../parts/address";
import { Badge } from "../parts/badge";
import { count, nano, span } from "../parts/format";
import { Empty, Failure, Waiting } from "../parts/notice";
import { Head } from "../parts/shell";
import { Ago } from "../parts/time";
import type { Tone } from "../parts/words";

export function Network() {
  return (
    <>
      <Head title="Network" />
      <Subnets />
      <Leases />
      <Reservations />
    </>
  );
}

function Subnets() {
  const subnets = useSubnets();
  const all = subnets.data ?? [];
  if (subnets.data === undefined) return <Waiting of={subnets} what="The subnets" />;
  if (all.length === 0) {
    return (
      <Empty title="No subnets.">
        <p>The appliance serves no DHCP here. Subnets stand in its configuration, under <code>subnets</code>; <code>appliance doctor network</code> shows who else answers.</p>
      </Empty>
    );
  }
  return (
    <section aria-labelledby="subnets-head">
      <h2 id="subnets-head">Subnets</h2>
      <div className="cards">
        {all.map((s) => (
          <SubnetCard key={s.name} subnet={s} />
        ))}
      </div>
    </section>
  );
}

const modeTone: Record<string, Tone> = { server: "ok", proxy: "ok", off: "none", auto: "busy" };
const modeWord: Record<string, string> = {
  server: "gives addresses and boots", proxy: "boots; another server gives addresses", off: "silent", auto: "listens for other servers",
};

function SubnetCard({ subnet: s }: { subnet: Subnet }) {
  return (
    <div className="card wide">
      <div className="card-line">
        <h3>{s.name}</h3>
        <code>{s.prefix}</code>
        <Badge tone={modeTone[s.now] ?? "none"} title={modeWord[s.now]}>{s.now}</Badge>
        <span className="dim">{modeWord[s.now]}{s.mode === "auto" && s.now !== "auto" ? " (decided by itself)" : ""}</span>
        <span className="dim num">{count(s.live, "lease")}</span>
      </div>
      <p className="dim">
        {s.discover ? "Unknown machines are answered" : "Only known machines are answered"}; leases of {span(nano(s.lease))}
        {s.router && <>, router <code>{s.router}</code></>}
        {(s.relays ?? []).length > 0 && <>, behind relay agents {(s.relays ?? []).join(", ")}</>}
      </p>
    </div>
  );
}

const leaseTone: Record<Lease["state"], Tone> = { active: "ok", offered: "busy", expired: "none", declined: "bad" };

function Leases() {
  const leases = useLeases();
  const [q, setQ] = useParam("q");
  const end = useAction(releaseLease);
  const all = leases.data ?? [];
  const needle = q.toLowerCase();
  const shown = all.filter((l) => !needle || [l.address, l.mac, l.hostname, l.machine, l.circuit, l.subnet].some((t) => t?.toLowerCase().includes(needle)));
  if (leases.data === undefined) return <Waiting of={leases} what="The leases" />;
  return (
    <section aria-labelledby="leases-head">
      <h2 id="leases-head">Leases</h2>
      {all.length === 0 ? (
        <p className="dim">None yet: connect a server and switch it on.</p>
      ) : (
        <>
          <div className="filters">
            <label className="search">
              <span className="sr">Filter by address, MAC, name or port</span>
              <input type="search" value={q} onChange={(e) => setQ(e.target.value)} placeholder="Address, MAC, name, relay port" />
              <kbd aria-hidden="true">/</kbd>
            </label>
            <span className="dim num">{shown.length} of {all.length}</span>
          </div>
          {end.error && <Failure what="The lease was not ended." error={end.error} />}
          <ul className="rows" aria-label="Leases">
            {shown.slice(0, 500).map((l) => (
              <Row key={l.address} lease={l} end={end.mutate} busy={end.isPending} />
            ))}
          </ul>
          {shown.length > 500 && <p className="dim">The first 500 of {shown.length}: filter for the others.</p>}
        </>
      )}
    </section>
  );
}

function Row({ lease: l, end, busy }: { lease: Lease; end: (address: string) => void; busy: boolean }) {
  const plugged = [l.relay && `relay ${l.relay}`, l.circuit && `circuit ${l.circuit}`, l.remote && `remote ${l.remote}`].filter(Boolean).join(", ");
  return (
    <li className="row lease">
      <div className="row-main">
        <code>{l.address}</code>
        <Badge tone={leaseTone[l.state]}>{l.state}</Badge>
        <span>
          {l.machine ? <Link href={`/machines/${enc(l.machine)}`} data-row>{l.hostname || l.machine}</Link> : l.hostname} <code>{l.mac}</code>
        </span>
        {plugged && <span className="dim">{plugged}</span>}
        <span className="dim">{l.state === "expired" ? "ended " : "ends "}<Ago at={l.expires} /></span>
        {l.state !== "expired" && (
          <button type="button" className="quiet" disabled={busy} onClick={() => end(l.address)} aria-label={`${l.state === "declined" ? "Give free" : "End the lease of"} ${l.address}`}>
            {l.state === "declined" ? "Give free" : "End"}
          </button>
        )}
      </div>
    </li>
  );
}

function Reservations() {
  const reservations = useReservations();
  const all = reservations.data ?? [];
  if (all.length === 0) return null;
  return (
    <section aria-labelledby="reservations-head">
      <h2 id="reservations-head">Reservations</h2>
      <ul className="rows">
        {all.map((r) => (
          <li className="row" key={holder(r)}>
            <div className="row-main">
              <code>{r.address ?? "any address"}</code>
              <span>for {holder(r)}</span>
              {r.hostname && <span className="dim">{r.hostname}</span>}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

const holder = (r: Reservation): string =>
  r.mac ? `MAC ${r.mac}` : r.clientId ? `client ${r.clientId}` : `relay port ${r.circuit ?? ""}`;
