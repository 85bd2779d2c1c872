// Events as rows; each links to what it is about.
import { Link } from "wouter";
import { enc } from "../api/client";
import type { Event } from "../api/types";
import { Why } from "./notice";
import { Ago } from "./time";
import { useFlash } from "./flash";

const marks: Record<string, { mark: string; tone: string }> = {
  info: { mark: "·", tone: "none" },
  warning: { mark: "!", tone: "warn" },
  error: { mark: "✗", tone: "bad" },
};

interface Props {
  events: Event[];
  names: (machine: string) => string;
  links?: boolean;
}

/** EventList shows the newest first. */
export function EventList({ events, names, links = true }: Props) {
  return (
    <ol className="events" aria-label="Events, newest first">
      {[...events].reverse().map((e) => (
        <Row key={e.seq} event={e} names={names} links={links} />
      ))}
    </ol>
  );
}

function Row({ event: e, names, links }: { event: Event } & Pick<Props, "names" | "links">) {
  const flash = useFlash(e.seq, Date.now() - Date.parse(e.at) < 5000);
  const m = marks[e.severity] ?? marks.info!;
  return (
    <li id={`e${e.seq}`} className={flash ? "changed" : ""}>
      <span className={`mark tone-${m.tone}`} title={e.severity}>
        <span aria-hidden="true">{m.mark}</span>
        <span className="sr">{e.severity}</span>
      </span>
      <span className="when dim">
        <Ago at={e.at} />
      </span>
      <div className="said">
        <span title={e.type}>{e.message}</span>
        {links && (
          <span className="about">
            {e.machine && <Link href={`/machines/${enc(e.machine)}`}>{names(e.machine)}</Link>}
            {e.service && <Link href={`/services/${enc(e.service)}`}>{e.service}</Link>}
          </span>
        )}
        {e.by && <span className="dim"> by {e.by}</span>}
        {e.cause && <Why cause={e.cause} />}
      </div>
    </li>
  );
}
