// What states are called, which letter and which of the five colours they have.
import { isOpen } from "../api/queries";
import type { Machine } from "../api/types";

/** Tone is one of the five status colours, or none. */
export type Tone = "new" | "busy" | "ok" | "warn" | "bad" | "none";

export const phases = ["discovered", "enrolled", "ready", "reserved", "active", "retired"] as const;

interface PhaseWord {
  letter: string;
  tone: Tone;
  means: string;
}

const phaseWords: Record<string, PhaseWord> = {
  discovered: { letter: "D", tone: "new", means: "seen, not let in" },
  enrolled: { letter: "E", tone: "busy", means: "let in, not yet in the pool" },
  ready: { letter: "R", tone: "ok", means: "free, in the pool" },
  reserved: { letter: "V", tone: "busy", means: "taken for a service" },
  active: { letter: "A", tone: "ok", means: "runs a service" },
  retired: { letter: "X", tone: "none", means: "out of use" },
};

export const phaseWord = (phase: string): PhaseWord =>
  phaseWords[phase] ?? { letter: "?", tone: "none", means: phase };

/** Health is what stands beside the phase: a mark, a word, a colour. */
export interface Health {
  mark: string;
  word: string;
  tone: Tone;
}

/** health is the gravest thing to say of a machine. */
export function health(m: Machine): Health {
  const is = (name: string, ...values: string[]) => values.includes(m.conditions?.[name]?.value ?? "");
  if (m.phase === "retired") return { mark: "", word: "retired", tone: "none" };
  if (is("broken", "true")) return { mark: "!", word: "failed", tone: "bad" };
  if (is("agent", "lost")) return { mark: "!", word: "agent lost", tone: "bad" };
  if (is("health", "critical")) return { mark: "!", word: "critical", tone: "bad" };
  if (m.operation?.status === "waiting" && m.operation.waiting === "operator") return { mark: "?", word: "needs a person", tone: "warn" };
  if (is("bmc", "unreachable", "locked", "auth_failed")) return { mark: "!", word: "BMC " + bmcWord(m), tone: "warn" };
  if (isOpen(m.operation?.status)) return { mark: "›", word: m.operation?.kind ?? "busy", tone: "busy" };
  if (m.phase === "discovered") return { mark: "?", word: m.facts ? "waits to be let in" : "new", tone: "new" };
  if (is("hold", "true")) return { mark: "?", word: "held back", tone: "warn" };
  if (is("protected", "true")) return { mark: "?", word: "protected", tone: "warn" };
  if (is("health", "warn") || is("drift", "true")) return { mark: "!", word: "warning", tone: "warn" };
  return { mark: "", word: "all right", tone: phaseWord(m.phase).tone };
}

const bmcWord = (m: Machine) => (m.conditions?.bmc?.value ?? "").replace("_", " ");

/** Condition says how one condition is shown; nothing where it says nothing. */
export function conditionWord(type: string, value: string): { text: string; tone: Tone; means: string } | undefined {
  switch (type) {
    case "power":
      return undefined; // has a column of its own
    case "bmc":
      if (value === "ok") return { text: "BMC ok", tone: "none", means: "its management controller answers" };
      if (value === "none") return { text: "no BMC", tone: "none", means: "it can be switched by hand or by its agent only" };
      return { text: "BMC " + value.replace("_", " "), tone: "warn", means: "its management controller cannot be used" };
    case "agent":
      if (value === "none") return undefined;
      return { text: "agent " + value, tone: value === "lost" ? "bad" : "none", means: "what its agent does" };
    case "health":
      return value === "ok" ? undefined : { text: "health " + value, tone: value === "critical" ? "bad" : "warn", means: "what its sensors say" };
    case "broken":
      return { text: "failed", tone: "bad", means: "an operation failed and nothing was done about it" };
    case "protected":
      return { text: "protected", tone: "warn", means: "its disks hold what nobody allowed to erase" };
    case "hold":
      return { text: "held", tone: "warn", means: "a person holds it back" };
    case "dirty":
      return { text: "dirty", tone: "none", means: "not every disk was erased since its last use" };
    case "drift":
      return { text: "changed", tone: "warn", means: "it is not the hardware that it was" };
  }
  return { text: `${type} ${value}`, tone: "none", means: type };
}

export function servicePhaseTone(phase: string): Tone {
  switch (phase) {
    case "running":
      return "ok";
    case "failed":
      return "bad";
    case "removed":
      return "none";
  }
  return "busy";
}

export function stepTone(status: string): Tone {
  switch (status) {
    case "done":
      return "ok";
    case "failed":
      return "bad";
    case "interrupted":
      return "warn";
    case "running":
      return "busy";
  }
  return "none";
}

export const stepMark: Record<string, string> = {
  done: "✓", failed: "✗", interrupted: "?", running: "›", pending: "·", cancelled: "–",
};

const stages: Record<string, string> = {
  "bmc.power": "Power switched by its BMC",
  "dhcp.discover": "Firmware asks for an address",
  "dhcp.ack": "Firmware has an address",
  "tftp.nbp": "Boot program loaded",
  "ipxe.dhcp": "iPXE has an address",
  "http.script": "Boot script fetched",
  "http.kernel": "Kernel loaded",
  "http.initrd": "Agent's system loaded",
  "http.extra": "Boot token fetched",
  "agent.dhcp": "Agent has an address",
  "agent.hello": "Agent says hello",
  "agent.facts": "Inventory received",
  step: "Step",
  local: "Told to boot its disk",
  "os.hello": "Installed system reports",
  silent: "Silent",
  "boot.error": "Transfer broke off",
};

export const stageWord = (stage: string): string => stages[stage] ?? stage;

const steps: Record<string, string> = {
  trust: "Give its agent a certificate",
  "bmc-user": "Make our BMC user",
  "bmc-check": "Check the BMC",
  facts: "Take the inventory",
  wipe: "Erase the disks",
  "boot-device": "Boot from the network next",
  "power-off": "Switch off",
  "power-on": "Switch on",
  standby: "Boot the agent",
  image: "Write the image",
  "boot-disk": "Boot from the disk next",
  reboot: "Restart",
  system: "Start the installed system",
  acquire: "Get a machine",
  prepare: "Prepare the machine",
  cleanup: "Clean up",
};

export const stepWord = (name: string): string => steps[name] ?? name;
