// What happened last night?
import { useEffect, useMemo, useState } from "react";
import { useEvents, useMachines, useServices } from "../api/queries";
import { useParam } from "../parts/address";
import { EventList } from "../parts/events";
import { Empty, Waiting } from "../parts/notice";
import { Head } from "../parts/shell";

export function Events() {
  const [machine, setMachine] = useParam("machine");
  const [service, setService] = useParam("service");
  const [severity, setSeverity] = useParam("severity");
  const [text, setText] = useParam("q");
  const machines = useMachines();
  const services = useServices();
  const events = useEvents({ machine: machine || undefined, service: service || undefined, severity: severity || undefined });
  const names = useMemo(() => new Map((machines.data ?? []).map((m) => [m.id, m.name])), [machines.data]);
  const shown = useMemo(() => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return (events.data ?? []).filter((e) => {
      const hay = [e.message, e.type, e.by, e.cause?.code, e.cause?.message, e.service, names.get(e.machine ?? "")].join(" ").toLowerCase();
      return words.every((w) => hay.includes(w));
    });
  }, [events.data, text, names]);
  const filtered = Boolean(machine || service || severity || text);
  return (
    <>
      <Head title="Events">
        <ShareLink />
      </Head>
      <div className="filters">
        <label className="search">
          <span className="sr">Filter events</span>
          <input type="search" placeholder="Filter: words, type, person, cause …" value={text} onChange={(e) => setText(e.target.value, true)} />
          <kbd aria-hidden="true">/</kbd>
        </label>
        <Pick label="Machine" value={machine} set={setMachine} options={[...names.values()].sort()} />
        <Pick label="Service" value={service} set={setService} options={(services.data ?? []).map((s) => s.name)} />
        <Pick label="Severity" value={severity} set={setSeverity} options={["info", "warning", "error"]} />
      </div>
      {!events.data ? (
        <Waiting of={events} what="The events" />
      ) : shown.length === 0 ? (
        <Empty title={filtered ? "No event matches." : "Nothing has happened yet."}>
          <p>{filtered ? "Take a filter away, or look further back from a terminal: appliance event tail." : "Each change of a machine or service is told here, with who or what made it."}</p>
        </Empty>
      ) : (
        <EventList events={shown} names={(id) => names.get(id) ?? id} />
      )}
    </>
  );
}

function Pick({ label, value, set, options }: { label: string; value: string; set: (v: string) => void; options: string[] }) {
  const all = value && !options.includes(value) ? [value, ...options] : options;
  return (
    <label className="pick">
      <span>{label}</span>
      <select value={value} onChange={(e) => set(e.target.value)}>
        <option value="">all</option>
        {all.map((o) => (
          <option key={o}>{o}</option>
        ))}
      </select>
    </label>
  );
}

function ShareLink() {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const t = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(t);
  }, [copied]);
  return (
    <button
      type="button"
      className="quiet head-end"
      onClick={() => void navigator.clipboard.writeText(window.location.href).then(() => setCopied(true), () => undefined)}
    >
      {copied ? "Link copied" : "Copy a link to this view"}
    </button>
  );
}
