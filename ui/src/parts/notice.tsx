// What went wrong, why, and what to do; and what an empty page teaches.
import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import type { Cause } from "../api/types";
import { Ago } from "./time";

const remedies: Record<number, string> = {
  0: "Check that the appliance runs and that this computer reaches it; the page tries again by itself.",
  400: "Correct what is named above, then try again.",
  401: "Log in again.",
  403: "Ask an admin for a token with the role that this takes.",
  404: "It may have been removed or renamed: look for it in the list.",
  409: "Its state has changed: look at it again, then decide.",
  422: "Correct what is named above, then try again.",
  429: "Wait a minute, then try again.",
  503: "Try again in a moment.",
};

/** Failure says what could not be done (what), why, and what to do. */
export function Failure({ what, error }: { what: string; error: unknown }) {
  const status = error instanceof ApiError ? error.status : -1;
  const why = error instanceof Error ? error.message : String(error);
  const details = error instanceof ApiError ? (error.problem?.errors ?? []) : [];
  return (
    <div className="notice bad" role="alert">
      <strong>{what}</strong>
      <p>{sentence(why)}</p>
      {details.length > 0 && (
        <ul>
          {details.map((d) => (
            <li key={d}>{d}</li>
          ))}
        </ul>
      )}
      <p className="remedy">{remedies[status] ?? "Read the appliance's log: journalctl -u appliance. Then try again."}</p>
    </div>
  );
}

const sentence = (text: string) => {
  const t = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(t) ? t : t + ".";
};

/** Why shows a cause; its evidence folds out. */
export function Why({ cause, quiet = false }: { cause: Cause; quiet?: boolean }) {
  return (
    <div className="why">
      <p>
        {!quiet && <strong>{sentence(cause.message)} </strong>}
        <span className="remedy">{cause.remedy}</span>
      </p>
      {(cause.evidence || (cause.tried ?? []).length > 0) && (
        <details>
          <summary>
            Evidence <span className="dim">({cause.code}, <Ago at={cause.at} />)</span>
          </summary>
          {cause.evidence && <pre>{cause.evidence}</pre>}
          {(cause.tried ?? []).map((t) => (
            <p key={t} className="dim">Tried already: {t}.</p>
          ))}
        </details>
      )}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}

interface Asked {
  isPending: boolean;
  error: unknown;
}

/** Waiting stands where nothing was read yet; nothing flickers once something was. */
export function Waiting({ of, what }: { of: Asked; what: string }) {
  if (of.error) return <Failure what={`${what} could not be read.`} error={of.error} />;
  return (
    <p className="dim waiting" role="status">
      Reading {what.charAt(0).toLowerCase() + what.slice(1)} …
    </p>
  );
}
