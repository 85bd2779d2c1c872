// Signs: a colour is never the only one.
import type { Machine } from "../api/types";
import { conditionWord, phaseWord, type Tone } from "./words";

export function Badge({ tone, children, title }: { tone: Tone; children: React.ReactNode; title?: string | undefined }) {
  return (
    <span className={`badge tone-${tone}`} title={title}>
      {children}
    </span>
  );
}

export function Phase({ phase }: { phase: string }) {
  const w = phaseWord(phase);
  return (
    <Badge tone={w.tone} title={w.means}>
      <b aria-hidden="true">{w.letter}</b> {phase}
    </Badge>
  );
}

export function Power({ machine }: { machine: Machine }) {
  const value = machine.conditions?.power?.value ?? "unknown";
  const mark = value === "on" ? "●" : value === "off" ? "○" : "–";
  return (
    <span className={`power power-${value}`} title={machine.conditions?.power ? undefined : "nobody asked its BMC yet"}>
      <span aria-hidden="true">{mark}</span> {value}
    </span>
  );
}

export function Conditions({ machine, quiet = false }: { machine: Machine; quiet?: boolean }) {
  const shown = Object.entries(machine.conditions ?? {})
    .map(([type, c]) => ({ type, c, word: conditionWord(type, c.value) }))
    .filter((x) => x.word && !(quiet && (x.word.tone === "none" || x.type === "broken"))); // a table says in its own column what failed
  return (
    <span className="badges">
      {shown.map(({ type, c, word }) => (
        <Badge key={type} tone={word!.tone} title={c.reason || word!.means}>
          {word!.text}
        </Badge>
      ))}
    </span>
  );
}
