// Dark or light: as the system says, or as the reader chose.
import { useSyncExternalStore } from "react";

export type Theme = "auto" | "light" | "dark";
const key = "theme";
const listeners = new Set<() => void>();

function read(): Theme {
  try {
    const t = localStorage.getItem(key);
    return t === "light" || t === "dark" ? t : "auto";
  } catch {
    return "auto";
  }
}

let theme = read();

export function applyTheme() {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function setTheme(t: Theme) {
  theme = t;
  try {
    localStorage.setItem(key, t);
  } catch {
    // it holds for this page, then
  }
  applyTheme();
  for (const f of listeners) f();
}

export const useTheme = (): Theme =>
  useSyncExternalStore(
    (f) => {
      listeners.add(f);
      return () => void listeners.delete(f);
    },
    () => theme,
  );
