// Puts the messages of the event stream into what the pages have read.
import type { QueryClient } from "@tanstack/react-query";
import { call, enc } from "./client";
import { eventLimit, keys, lineLimit, type EventFilter } from "./queries";
import type { Boot, BootEvent, BootShow, Event, LogLine, Machine, Service, StreamMessage } from "./types";

const settle = 300; // events come in bursts: one look at each thing per burst
const single = 8; // more machines than this are read as a list

export class Patcher {
  private readonly client: QueryClient;
  private readonly machines = new Set<string>();
  private readonly services = new Set<string>();
  private overview = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: QueryClient) {
    this.client = client;
  }

  stop() {
    clearTimeout(this.timer);
  }

  take(m: StreamMessage) {
    if (m.event) this.event(m.event);
    if (m.live) this.live(m.live.machine, m.live.live);
    if (m.boot) this.boot(m.boot);
    if (m.log) this.log(m.log);
  }

  private event(e: Event) {
    for (const q of this.client.getQueryCache().findAll({ queryKey: ["events"] })) {
      if (!matches(e, q.queryKey[1] as EventFilter, this.idOf)) continue;
      this.client.setQueryData<Event[]>(q.queryKey, (old) =>
        old && !old.some((o) => o.seq === e.seq) ? [...old, e].slice(-2 * eventLimit) : old,
      );
    }
    if (e.machine) this.machines.add(e.machine);
    if (e.service) this.services.add(e.service);
    if (e.type.startsWith("healing.")) void this.client.invalidateQueries({ queryKey: keys.healing });
    if (e.type.startsWith("recipe.")) void this.client.invalidateQueries({ queryKey: keys.recipes });
    if (e.type.startsWith("image.")) void this.client.invalidateQueries({ queryKey: keys.images });
    if (e.type.startsWith("template.")) void this.client.invalidateQueries({ queryKey: keys.templates });
    this.overview = true;
    this.later();
  }

  // idOf finds the machine that a page's address (ID, name or MAC) means.
  private readonly idOf = (name: string): string => {
    const all = this.client.getQueryData<Machine[]>(keys.machines) ?? [];
    const one = this.client.getQueryData<Machine>(keys.machine(name));
    return one?.id ?? all.find((m) => m.id === name || m.name === name || m.macs?.includes(name))?.id ?? name;
  };

  private live(id: string, live: Machine["live"]) {
    this.patchMachine(id, (m) => ({ ...m, live }));
    this.machines.add(id); // its sentence tells of the progress, too
    this.later();
  }

  private patchMachine(id: string, f: (m: Machine) => Machine) {
    this.client.setQueryData<Machine[]>(keys.machines, (old) => old?.map((m) => (m.id === id ? f(m) : m)));
    this.client.setQueriesData<Machine>({ queryKey: ["machine"] }, (old) => (old?.id === id ? f(old) : old));
  }

  private boot(e: BootEvent) {
    if (!e.machine) return;
    const machine = e.machine;
    this.client.setQueriesData<BootShow>({ queryKey: ["boot"] }, (old) =>
      old?.machine === machine ? { machine, boots: addBoot(old.boots ?? [], e) } : old,
    );
    this.machines.add(machine);
    this.later();
  }

  private log(l: LogLine) {
    const add = (old: LogLine[] | undefined) =>
      old && !(l.seq > 0 && old.some((o) => o.seq === l.seq)) ? [...old, l].slice(-lineLimit) : old;
    if (l.service) this.client.setQueryData<LogLine[]>(keys.logs(l.service), add);
    if (l.machine && l.step === "console") {
      for (const q of this.client.getQueryCache().findAll({ queryKey: ["console"] })) {
        if (this.idOf(String(q.queryKey[1])) === l.machine) this.client.setQueryData<LogLine[]>(q.queryKey, add);
      }
    }
  }

  private later() {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.flush();
    }, settle);
  }

  // flush reads again what the burst was about: single things where they are few.
  private async flush() {
    const machines = [...this.machines];
    const services = [...this.services];
    this.machines.clear();
    this.services.clear();
    if (this.overview) {
      this.overview = false;
      void this.client.invalidateQueries({ queryKey: keys.overview });
    }
    for (const name of services) {
      for (const key of [keys.service, keys.scaling, keys.revisions]) void this.client.invalidateQueries({ queryKey: key(name) });
    }
    if (services.length > 0) {
      void this.client.invalidateQueries({ queryKey: keys.services });
      void this.client.invalidateQueries({ queryKey: keys.applications });
    }
    // An instance's steps are shown by its service, and its machine's events tell of them.
    if (machines.length > 0) {
      void this.client.invalidateQueries({
        queryKey: ["service"],
        predicate: (q) => (q.state.data as Service | undefined)?.instanceList?.some((i) => machines.includes(i.machine ?? "")) ?? false,
      });
    }
    if (machines.length > single) {
      void this.client.invalidateQueries({ queryKey: ["machine"] });
      void this.client.invalidateQueries({ queryKey: keys.machines });
      return;
    }
    await Promise.all(machines.map((id) => this.machine(id)));
  }

  private async machine(id: string) {
    const shown =
      this.client.getQueryData(keys.machines) !== undefined ||
      this.client.getQueryCache().findAll({ queryKey: ["machine"] }).some((q) => (q.state.data as Machine | undefined)?.id === id);
    if (!shown) return;
    try {
      const m = await call<Machine>("GET", `/machines/${enc(id)}`);
      this.client.setQueryData<Machine[]>(keys.machines, (old) =>
        old && (old.some((o) => o.id === id) ? old.map((o) => (o.id === id ? m : o)) : [...old, m]),
      );
      this.client.setQueriesData<Machine>({ queryKey: ["machine"] }, (old) => (old?.id === id ? m : old));
    } catch {
      void this.client.invalidateQueries({ queryKey: keys.machines });
    }
  }
}

function matches(e: Event, f: EventFilter, idOf: (name: string) => string): boolean {
  return (
    (!f.machine || e.machine === idOf(f.machine)) &&
    (!f.service || e.service === f.service) &&
    (!f.type || e.type.startsWith(f.type)) &&
    (!f.severity || e.severity === f.severity)
  );
}

// What comes after all that iPXE asks DHCP for.
const pastIPXE = new Set(["http.kernel", "http.initrd", "http.extra", "agent.dhcp", "agent.hello", "agent.facts", "step", "local", "os.hello"]);

/** addBoot adds a boot event to the attempts, by the rules of pool.Boots. */
export function addBoot(boots: Boot[], e: BootEvent): Boot[] {
  const last = boots.at(-1);
  const before = last?.events?.at(-1)?.stage;
  const power = "bmc.power";
  const discover = "dhcp.discover";
  const past = last?.events?.some((o) => pastIPXE.has(o.stage)) ?? false;
  const fresh =
    !last || (e.stage === power && before !== power) || (e.stage === discover && before !== power && before !== discover) ||
    (e.stage === "ipxe.dhcp" && past);
  if (fresh) return [...boots, { start: e.at, end: e.at, events: [e] }];
  if (last.events?.some((o) => o.at === e.at && o.stage === e.stage)) return boots;
  return [...boots.slice(0, -1), { ...last, end: e.at, events: [...(last.events ?? []), e] }];
}
