// Output as it comes. It follows the end until the reader scrolls up.
import { useEffect, useRef } from "react";
import type { LogLine } from "../api/types";
import { exact } from "./format";

export function Lines({ lines, label }: { lines: LogLine[]; label: string }) {
  const ref = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  useEffect(() => {
    const e = ref.current;
    if (e && follow.current) e.scrollTop = e.scrollHeight;
  }, [lines]);
  return (
    <div
      ref={ref}
      className="lines"
      role="log"
      aria-label={label}
      tabIndex={0}
      onScroll={(e) => {
        const t = e.currentTarget;
        follow.current = t.scrollHeight - t.scrollTop - t.clientHeight < 24;
      }}
    >
      {lines.map((l, i) => (
        <div key={l.seq || `n${i}`} title={exact(l.at)}>
          {l.line || "\u00a0"}
        </div>
      ))}
    </div>
  );
}
