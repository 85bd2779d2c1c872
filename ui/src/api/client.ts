// One way to call the API: JSON in, JSON out, errors as ApiError.
import type { Problem } from "./types";

/** The appliance answered with a problem, or did not answer (status 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly problem?: Problem;

  constructor(status: number, message: string, problem?: Problem) {
    super(message);
    this.status = status;
    this.problem = problem;
  }
}

// How far the appliance's clock is ahead of the browser's, in milliseconds.
// Ages are reckoned with the appliance's clock: its times are what is shown.
let ahead = 0;

/** now is the appliance's time. */
export const now = (): number => Date.now() + ahead;

function setClock(answer: Response) {
  const date = Date.parse(answer.headers.get("date") ?? "");
  const off = date + 500 - Date.now(); // the header has whole seconds
  if (!Number.isNaN(off)) ahead = Math.abs(off) < 2000 ? 0 : off;
}

export async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch("/api/v1" + path, {
      method,
      signal: signal ?? null,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch (err) {
    if (signal?.aborted) throw err;
    throw new ApiError(0, "The appliance does not answer.");
  }
  setClock(answer);
  const text = await answer.text();
  if (answer.ok) return (text ? JSON.parse(text) : undefined) as T;
  const problem = parseProblem(text);
  throw new ApiError(answer.status, problem?.detail ?? `The appliance answered with status ${answer.status}.`, problem);
}

function parseProblem(text: string): Problem | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "detail" in value ? (value as Problem) : undefined;
  } catch {
    return undefined;
  }
}

/** query writes the parameters that are set. */
export function query(params: Record<string, string | number | boolean | undefined>): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== "" && value !== false) out.set(name, String(value));
  }
  const text = out.toString();
  return text ? "?" + text : "";
}

export const enc = encodeURIComponent;
