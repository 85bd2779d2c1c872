// Marks for a moment what changed.
import { useEffect, useRef, useState } from "react";

/** useFlash is true for a moment after value changed; at first only when asked. */
export function useFlash(value: unknown, atFirst = false): boolean {
  const [on, setOn] = useState(atFirst);
  const before = useRef(value);
  useEffect(() => {
    if (before.current !== value) {
      before.current = value;
      setOn(true);
    }
  }, [value]);
  useEffect(() => {
    if (!on) return;
    const t = setTimeout(() => setOn(false), 1600);
    return () => clearTimeout(t);
  }, [on, value]);
  return on;
}
