// Times that stay true: relative, with the exact one on hover.
import { useSyncExternalStore } from "react";
import { now } from "../api/client";
import { ago, exact, span } from "./format";

const listeners = new Set<() => void>();
let tick = 0;
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(f: () => void) {
  listeners.add(f);
  timer ??= setInterval(() => {
    tick++;
    for (const g of listeners) g();
  }, 1000);
  return () => {
    listeners.delete(f);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** useTick renders again every second. */
export const useTick = (): number => useSyncExternalStore(subscribe, () => tick);

export function Ago({ at }: { at: string | number }) {
  useTick();
  const when = new Date(at);
  return (
    <time dateTime={when.toISOString()} title={exact(at)}>
      {ago(when.getTime(), now())}
    </time>
  );
}

/** Since counts up from a time, or shows the span between two. */
export function Since({ from, to }: { from: string; to?: string | undefined }) {
  useTick();
  const end = to ? Date.parse(to) : now();
  return <time title={`from ${exact(from)}${to ? ` to ${exact(to)}` : ""}`}>{span(end - Date.parse(from))}</time>;
}
