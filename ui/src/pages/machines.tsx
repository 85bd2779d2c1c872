// All machines: one row each, thousands of them.
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { enc } from "../api/client";
import { isOpen, useMachines, useOverview } from "../api/queries";
import type { Machine } from "../api/types";
import { useParam } from "../parts/address";
import { Conditions, Phase, Power } from "../parts/badge";
import { bytes, diskSize } from "../parts/format";
import { useFlash } from "../parts/flash";
import { Empty, Waiting } from "../parts/notice";
import { Bar } from "../parts/progress";
import { Head } from "../parts/shell";
import { phases } from "../parts/words";
import { NoMachines } from "./overview";

const rowHeight = 52;

export function Machines() {
  const machines = useMachines();
  const overview = useOverview();
  const [text, setText] = useParam("q");
  const [phase, setPhase] = useParam("phase");
  const box = useRef<HTMLInputElement>(null);
  const [find, setFind] = useParam("find"); // another page asks for the filter
  const all = machines.data;
  const ready = (all?.length ?? 0) > 0;
  useEffect(() => {
    if (!find || !ready) return;
    box.current?.focus();
    setFind("", true);
  }, [find, ready, setFind]);
  const shown = useMemo(() => select(all ?? [], text, phase), [all, text, phase]);
  if (!all) {
    return (
      <>
        <Head title="Machines" />
        <Waiting of={machines} what="The machines" />
      </>
    );
  }
  if (all.length === 0) {
    return (
      <>
        <Head title="Machines" />
        <NoMachines overview={overview.data} />
      </>
    );
  }
  return (
    <>
      <Head title="Machines">
        <p className="lead num" aria-live="polite">
          {shown.length === all.length ? `${all.length}` : `${shown.length} of ${all.length}`}
        </p>
      </Head>
      <div className="filters">
        <label className="search">
          <span className="sr">Filter machines</span>
          <input
            ref={box}
            type="search"
            placeholder="Filter: name, address, MAC, serial, tag, service …"
            value={text}
            onChange={(e) => setText(e.target.value, true)}
          />
          <kbd aria-hidden="true">/</kbd>
        </label>
        <div className="chips" role="group" aria-label="Phase">
          {phases
            .filter((p) => p === phase || all.some((m) => m.phase === p))
            .map((p) => (
              <button key={p} type="button" aria-pressed={p === phase} onClick={() => setPhase(p === phase ? "" : p)}>
                {p} <span className="num dim">{all.filter((m) => m.phase === p).length}</span>
              </button>
            ))}
        </div>
      </div>
      {shown.length === 0 ? (
        <Empty title="No machine matches.">
          <p>
            {all.length} machines do not match this filter.{" "}
            <Link href="/machines">Show them all</Link>
          </p>
        </Empty>
      ) : (
        <Table machines={shown} />
      )}
    </>
  );
}

function select(all: Machine[], text: string, phase: string): Machine[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return all
    .filter((m) => (!phase || m.phase === phase) && (words.length === 0 || matches(haystack(m), words)))
    .sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
}

const matches = (hay: string, words: string[]) => words.every((w) => hay.includes(w));

function haystack(m: Machine): string {
  const f = m.facts;
  return [
    m.name, m.id, m.phase, m.address, m.service, m.image, m.firmware, m.arch, ...(m.macs ?? []), ...(m.tags ?? []),
    isOpen(m.operation?.status) ? m.operation?.kind : "",
    f?.serial, f?.product, f?.manufacturer, m.bmc?.address,
    ...(f?.disks ?? []).flatMap((d) => [d.serial, d.model]),
    ...Object.entries(m.conditions ?? {}).map(([k, c]) => (c.value === "true" ? k : `${k}:${c.value}`)),
  ]
    .filter(Boolean)
    .join(" ")
    .toLowerCase();
}

function Table({ machines }: { machines: Machine[] }) {
  const ref = useRef<HTMLTableSectionElement>(null);
  const [top, setTop] = useState(0);
  useEffect(() => setTop(ref.current?.offsetTop ?? 0), []);
  const rows = useWindowVirtualizer({ count: machines.length, estimateSize: () => rowHeight, overscan: 12, scrollMargin: top });
  const items = rows.getVirtualItems();
  const before = Math.max(0, (items[0]?.start ?? top) - top);
  const after = Math.max(0, rows.getTotalSize() - ((items.at(-1)?.end ?? top) - top));
  return (
    <table className="machines" aria-rowcount={machines.length + 1}>
      <caption className="sr">Machines</caption>
      <thead>
        <tr aria-rowindex={1}>
          <th scope="col">Machine</th>
          <th scope="col">Phase</th>
          <th scope="col">Operation</th>
          <th scope="col" className="wide">Power</th>
          <th scope="col" className="wide">Conditions</th>
          <th scope="col" className="mid">Address</th>
          <th scope="col" className="num wide">Cores</th>
          <th scope="col" className="num wide">Memory</th>
          <th scope="col" className="num wide">Disks</th>
        </tr>
      </thead>
      <tbody ref={ref}>
        {before > 0 && <tr aria-hidden="true" className="gap"><td colSpan={9} style={{ height: before }} /></tr>}
        {items.map((i) => (
          <Row key={machines[i.index]!.id} machine={machines[i.index]!} index={i.index + 2} />
        ))}
        {after > 0 && <tr aria-hidden="true" className="gap"><td colSpan={9} style={{ height: after }} /></tr>}
      </tbody>
    </table>
  );
}

const Row = memo(function Row({ machine: m, index }: { machine: Machine; index: number }) {
  const [, go] = useLocation();
  const open = isOpen(m.operation?.status);
  const flash = useFlash(`${m.phase} ${open ? m.operation!.kind + m.operation!.step + m.operation!.status : ""} ${m.conditions?.power?.value}`);
  const href = `/machines/${enc(m.id)}`;
  const disks = m.facts?.disks ?? [];
  return (
    <tr
      aria-rowindex={index}
      className={flash ? "changed" : ""}
      onClick={(e) => {
        // The whole row is the link's target for a plain click; the link itself does the rest.
        if (!(e.target as HTMLElement).closest("a, button") && !getSelection()?.toString()) go(href);
      }}
    >
      <th scope="row">
        <Link href={href} data-row title={m.sentence}>{m.name}</Link>
        <span className="sub dim">{m.service ?? m.facts?.product ?? m.macs?.[0]}</span>
      </th>
      <td>
        <Phase phase={m.phase} />
      </td>
      <td className="op">
        {open ? (
          <>
            <span className="op-name">
              {m.operation!.kind} <span className="dim">{m.operation!.status === "running" ? m.operation!.step : m.operation!.waiting ? `waits: ${m.operation!.waiting}` : m.operation!.status}</span>
            </span>
            {m.live.progress && m.operation!.status === "running" && <Bar progress={m.live.progress} label={`${m.name}: ${m.operation!.step}`} />}
          </>
        ) : m.conditions?.broken ? (
          <span className="bad-text">{m.operation?.kind ?? "operation"} failed</span>
        ) : (
          <span className="dim only-wide">–</span>
        )}
        {!open && (
          <span className="no-wide">
            <Conditions machine={m} quiet />
          </span>
        )}
      </td>
      <td className="wide">
        <Power machine={m} />
      </td>
      <td className="wide">
        <Conditions machine={m} quiet />
      </td>
      <td className="mid">
        <code>{m.address ?? "–"}</code>
      </td>
      <td className="num wide">{m.facts?.cpu.cores ?? "–"}</td>
      <td className="num wide">{bytes(m.facts?.memory)}</td>
      <td className="num wide" title={disks.map((d) => `${d.name} ${diskSize(d.size)} ${d.type}`).join(", ")}>
        {disks.length === 0 ? "–" : `${disks.length} × ${[...new Set(disks.map((d) => diskSize(d.size)))].slice(0, 2).join(", ")}`}
      </td>
    </tr>
  );
});
