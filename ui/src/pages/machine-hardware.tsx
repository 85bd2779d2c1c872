// What the machine is made of.
import type { ReactNode } from "react";
import type { Machine } from "../api/types";
import { bytes, count, diskSize } from "../parts/format";
import { Copy } from "../parts/mono";
import { Ago } from "../parts/time";

function Pair({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Hardware({ machine: m }: { machine: Machine }) {
  const f = m.facts;
  return (
    <aside aria-label="Facts">
      <section>
        <h2>Machine</h2>
        <dl className="pairs">
          <Pair name="ID"><Copy text={m.id} /></Pair>
          {(m.macs ?? []).map((mac, i) => (
            <Pair key={mac} name={i === 0 ? "Boots by" : "MAC"}><Copy text={mac} /></Pair>
          ))}
          {m.address && <Pair name="Address"><Copy text={m.address} /></Pair>}
          <Pair name="Agent">{m.live.agent ? `${m.live.agent === "ram" ? "in memory" : "installed"}, ${m.live.version ?? ""}` : "none"}</Pair>
          {m.image && <Pair name="Image">{m.image}</Pair>}
          {(m.tags ?? []).length > 0 && <Pair name="Tags">{(m.tags ?? []).join(", ")}</Pair>}
          {m.acceptedBy && <Pair name="Accepted by">{m.acceptedBy}</Pair>}
          <Pair name="First seen"><Ago at={m.createdAt} /></Pair>
        </dl>
      </section>
      {!f ? (
        <section>
          <h2>Hardware</h2>
          <p className="dim">No inventory yet: the agent sends it at the end of the first boot.</p>
        </section>
      ) : (
        <>
          <section>
            <h2>Hardware</h2>
            <dl className="pairs">
              {(f.manufacturer || f.product) && <Pair name="Model">{[f.manufacturer, f.product].filter(Boolean).join(" ")}</Pair>}
              {f.serial && <Pair name="Serial"><Copy text={f.serial} /></Pair>}
              <Pair name="CPU">{f.cpu.model || f.arch}</Pair>
              <Pair name="Cores">{count(f.cpu.cores, "core")}, {count(f.cpu.threads, "thread")}, {count(f.cpu.sockets, "socket")}</Pair>
              <Pair name="Memory">{bytes(f.memory)}</Pair>
              <Pair name="Firmware">{f.firmware.toUpperCase()}{f.secureBoot ? ", Secure Boot" : ""}{f.firmwareName ? `, ${f.firmwareName}` : ""}</Pair>
              {f.tpm && <Pair name="TPM">{f.tpm}</Pair>}
              {(f.gpus ?? []).map((g) => <Pair key={g} name="GPU">{g}</Pair>)}
              <Pair name="Seen"><Ago at={f.at} /></Pair>
            </dl>
          </section>
          <Disks machine={m} />
          <Nics machine={m} />
        </>
      )}
      <Bmc machine={m} />
    </aside>
  );
}

function Disks({ machine: m }: { machine: Machine }) {
  const disks = m.facts?.disks ?? [];
  return (
    <section>
      <h2>Disks</h2>
      {disks.length === 0 && <p className="dim">None.</p>}
      <ul className="things">
        {disks.map((d) => (
          <li key={d.serial || d.name}>
            <div className="thing-line">
              <b>{d.name}</b>
              <span>{diskSize(d.size)} {d.type}</span>
              {(m.unwiped ?? []).includes(d.serial) ? null : <span className="dim">wiped</span>}
            </div>
            {d.serial && <Copy text={d.serial} label="serial" />}
            <div className="dim">{[d.model, (d.content ?? []).join(", ") || "nothing recognised on it"].filter(Boolean).join(" · ")}</div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Nics({ machine: m }: { machine: Machine }) {
  return (
    <section>
      <h2>Network</h2>
      <ul className="things">
        {(m.facts?.nics ?? []).map((n) => (
          <li key={n.name + n.mac}>
            <div className="thing-line">
              <b>{n.name}</b>
              <span>{n.link ? (n.speed ? (n.speed >= 1000 ? `${n.speed / 1000} Gbit/s` : `${n.speed} Mbit/s`) : "link") : "no link"}</span>
              <span className="dim">{n.driver}</span>
            </div>
            <Copy text={n.mac} />
            {(n.addresses ?? []).length > 0 && <div className="dim">{(n.addresses ?? []).join(", ")}</div>}
            {n.switch && <div className="dim">in {n.switch} {n.port}</div>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Bmc({ machine: m }: { machine: Machine }) {
  const b = m.bmc;
  const c = m.conditions?.bmc;
  return (
    <section>
      <h2>BMC</h2>
      {!b ? (
        <p className="dim">{m.facts ? "None answered: a person has to switch this machine." : "Not known yet."}</p>
      ) : (
        <dl className="pairs">
          <Pair name="Address"><Copy text={b.address} /></Pair>
          <Pair name="Speaks">{b.protocol === "redfish" ? "Redfish" : "IPMI"}</Pair>
          <Pair name="User">{b.user || "not made yet"}</Pair>
          {c && <Pair name="State">{c.value.replace("_", " ")}, <Ago at={c.since} /></Pair>}
          {b.guid && <Pair name="GUID"><Copy text={b.guid} /></Pair>}
        </dl>
      )}
    </section>
  );
}
