// The keyboard: / filter, ? help, j and k along rows, g and a letter for pages.
import { useEffect } from "react";

const pages: Record<string, string> = { o: "/", m: "/machines", s: "/services", a: "/applications", c: "/catalogue", n: "/network", e: "/events" };

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
}

function step(by: number) {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
  const at = rows.findIndex((r) => r === document.activeElement);
  rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))]?.focus();
}

export function useKeyboard(go: (path: string) => void) {
  useEffect(() => {
    let g = 0;
    const press = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey || typing(e.target) || document.querySelector("dialog[open]")) return;
      const filter = document.querySelector<HTMLInputElement>("input[type=search]");
      if (e.key === "/") {
        e.preventDefault();
        if (filter) filter.focus();
        else go("/machines?find=yes");
      } else if (e.key === "?") go("/help");
      else if (e.key === "j") step(1);
      else if (e.key === "k") step(-1);
      else if (e.key === "g") {
        g = e.timeStamp;
        return;
      } else if (g && e.timeStamp - g < 1500 && pages[e.key]) go(pages[e.key]!);
      g = 0;
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [go]);
}
