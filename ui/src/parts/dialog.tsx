// Questions before the deed. What destroys wants the name typed.
import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import { Failure } from "./notice";

interface Props {
  title: string;
  verb: string;
  onClose: () => void;
  onConfirm: () => void;
  busy?: boolean;
  error?: unknown;
  failed?: string;
  /** typed is the name that has to be typed before the deed is possible. */
  typed?: string | undefined;
  danger?: boolean;
  disabled?: boolean;
  children?: ReactNode;
}

export function Dialog(p: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const head = useId();
  const label = useId();
  useEffect(() => {
    const d = ref.current;
    d?.showModal();
    return () => d?.close();
  }, []);
  const blocked = Boolean(p.busy || p.disabled || (p.typed !== undefined && text !== p.typed));
  return (
    <dialog ref={ref} aria-labelledby={head} onCancel={(e) => { e.preventDefault(); p.onClose(); }}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          if (!blocked) p.onConfirm();
        }}
      >
        <h2 id={head}>{p.title}</h2>
        {p.children}
        {p.typed !== undefined && (
          <label className="field" htmlFor={label}>
            <span>
              Type <code>{p.typed}</code> to confirm
            </span>
            <input id={label} value={text} onChange={(e) => setText(e.target.value)} autoComplete="off" spellCheck={false} />
          </label>
        )}
        {p.error !== undefined && p.error !== null && <Failure what={p.failed ?? "That was not done."} error={p.error} />}
        <div className="buttons end">
          <button type="button" onClick={p.onClose}>
            Leave it
          </button>
          <button type="submit" className={p.danger ? "danger" : "primary"} disabled={blocked}>
            {p.busy ? "…" : p.verb}
          </button>
        </div>
      </form>
    </dialog>
  );
}
