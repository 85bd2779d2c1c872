import type { Progress } from "../api/types";
import { bytes } from "./format";

/** Bar shows how far a step is, with the number beside it. */
export function Bar({ progress, label }: { progress: Progress; label: string }) {
  const percent = progress.total ? Math.min(100, Math.floor((progress.done * 100) / progress.total)) : undefined;
  const text =
    percent !== undefined ? `${percent} %` : progress.unit === "bytes" ? bytes(progress.done) : `${progress.done} ${progress.unit ?? ""}`;
  return (
    <span className="bar" title={progress.detail}>
      <progress aria-label={label} max={100} {...(percent === undefined ? {} : { value: percent })} />
      <span className="num">{text}</span>
    </span>
  );
}
