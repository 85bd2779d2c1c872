// Identifiers in monospace; one click copies.
import { useEffect, useState } from "react";

export function Copy({ text, label }: { text: string; label?: string }) {
  const [state, setState] = useState<"" | "copied" | "not copied">("");
  useEffect(() => {
    if (!state) return;
    const t = setTimeout(() => setState(""), 1500);
    return () => clearTimeout(t);
  }, [state]);
  const copy = () =>
    void copyText(text).then((ok) => setState(ok ? "copied" : "not copied"));
  return (
    <button type="button" className="copy" onClick={copy} title={`Copy ${text}`} aria-label={`Copy ${label ? label + " " : ""}${text}`}>
      <code>{text}</code>
      <span className="copy-mark" aria-live="polite">
        {state === "" ? <CopyIcon /> : state}
      </span>
    </button>
  );
}

function CopyIcon() {
  return (
    <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.5">
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
      <path d="M10.5 3v-.5a1 1 0 0 0-1-1H3.500a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1H4" />
    </svg>
  );
}

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
