// What a page shows is in its address: filters, open questions.
import { useCallback } from "react";
import { useSearchParams } from "wouter";

/** useParam reads and writes one parameter of the page's address. */
export function useParam(name: string): [string, (value: string, replace?: boolean) => void] {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (value: string, replace = false) => {
      setParams(
        (old) => {
          const next = new URLSearchParams(old);
          if (value) next.set(name, value);
          else next.delete(name);
          return next;
        },
        { replace },
      );
    },
    [name, setParams],
  );
  return [params.get(name) ?? "", set];
}
