// The steps of an operation or an instance, in order, with how long each took.
import type { ReactNode } from "react";
import type { Progress, Step } from "../api/types";
import { Why } from "./notice";
import { Bar } from "./progress";
import { Ago, Since } from "./time";
import { stepMark, stepTone, stepWord } from "./words";

/** latest keeps the last try of each step. */
function latest(steps: Step[]): Step[] {
  const out = new Map<string, Step>();
  for (const s of steps) {
    const old = out.get(s.name);
    if (!old || s.seq > old.seq || (s.seq === old.seq && s.attempt >= old.attempt)) out.set(s.name, s);
  }
  return [...out.values()].sort((a, b) => a.seq - b.seq);
}

interface Props {
  steps: Step[];
  progress?: Progress | undefined;
  /** button stands in the step's line, output below it. */
  button?: (s: Step) => ReactNode;
  output?: (s: Step) => ReactNode;
}

export function Steps({ steps, progress, button, output }: Props) {
  return (
    <ol className="steps">
      {latest(steps).map((s) => (
        <li key={s.name} className={`step tone-${stepTone(s.status)}`}>
          <div className="step-head">
            <span className="mark" aria-hidden="true">
              {stepMark[s.status] ?? "·"}
            </span>
            <span className="step-name" title={s.key}>
              {stepWord(s.name)}
              <span className="sr">: {s.status}</span>
              {s.attempt > 1 && <span className="dim"> try {s.attempt} of {s.tries}</span>}
            </span>
            {button?.(s)}
            <span className="step-time dim">
              {s.status === "running" && progress && <Bar progress={progress} label={stepWord(s.name)} />}
              {s.startedAt && <Since from={s.startedAt} to={s.endedAt} />}
              {s.status === "running" && s.deadline && (
                <span className="limit">
                  gives up <Ago at={s.deadline} />
                </span>
              )}
            </span>
          </div>
          {s.cause && <Why cause={s.cause} />}
          {output?.(s)}
        </li>
      ))}
    </ol>
  );
}
