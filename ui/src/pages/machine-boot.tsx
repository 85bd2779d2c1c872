// The boot timeline: each attempt as a list with durations.
import { useState } from "react";
import { now } from "../api/client";
import { useBoot } from "../api/queries";
import type { Boot, BootEvent } from "../api/types";
import { bytes, count, exact, nano, span } from "../parts/format";
import { Waiting } from "../parts/notice";
import { Ago } from "../parts/time";
import { stageWord } from "../parts/words";

export function BootTimeline({ id }: { id: string }) {
  const boot = useBoot(id);
  const [older, setOlder] = useState(false);
  const boots = boot.data?.boots ?? [];
  const last = boots.at(-1);
  return (
    <section aria-labelledby="boot-head">
      <div className="section-head">
        <h2 id="boot-head">Boot timeline</h2>
        {last && (
          <span className="dim">
            started <Ago at={last.start} />, {span(Date.parse(last.end) - Date.parse(last.start))} seen
          </span>
        )}
      </div>
      {!boot.data ? (
        <Waiting of={boot} what="The boot timeline" />
      ) : !last ? (
        <p className="dim">No boot was seen yet. It fills while the machine boots from the network: DHCP, boot program, kernel, agent.</p>
      ) : (
        <>
          {boot.data.silent && <p className="notice warn">{boot.data.silent}</p>}
          <Attempt boot={last} />
        </>
      )}
      {boots.length > 1 && (
        <button type="button" className="quiet" onClick={() => setOlder(!older)} aria-expanded={older}>
          {older ? "Hide earlier boots" : `Show ${count(boots.length - 1, "earlier boot")}`}
        </button>
      )}
      {older &&
        boots
          .slice(0, -1)
          .reverse()
          .slice(0, 10)
          .map((b) => (
            <div key={b.start} className="earlier">
              <h3>
                Boot <Ago at={b.start} />
              </h3>
              <Attempt boot={b} />
            </div>
          ))}
    </section>
  );
}

function Attempt({ boot }: { boot: Boot }) {
  const start = Date.parse(boot.start);
  const events = boot.events ?? [];
  const longest = Math.max(1000, ...events.map((_, i) => gap(events, i)));
  return (
    <table className="plain boot">
      <caption className="sr">Boot that started {exact(boot.start)}</caption>
      <thead>
        <tr>
          <th scope="col" className="num">After</th>
          <th scope="col">Stage</th>
          <th scope="col" className="mid">What was seen</th>
          <th scope="col" className="num">Took</th>
        </tr>
      </thead>
      <tbody>
        {events.map((e, i) => (
          <tr key={`${e.at}${e.stage}${i}`} className={e.failed || e.stage === "silent" || e.stage === "boot.error" ? "failed" : ""}>
            <td className="num dim" title={exact(e.at)}>
              {span(Date.parse(e.at) - start)}
            </td>
            <th scope="row">
              {e.failed && <span className="bad-text">✗ </span>}
              {stageWord(e.stage)}
              <span className="narrow-only dim">{seen(e)}</span>
            </th>
            <td className="mid dim">{seen(e)}</td>
            <td className="num">
              <span className="took">
                {gap(events, i) > 0 ? span(gap(events, i)) : ""}
                <meter aria-hidden="true" min={0} max={longest} value={gap(events, i)} />
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

// gap is how long it took to get to an event from the one before.
function gap(events: BootEvent[], i: number): number {
  const before = events[i - 1];
  const at = events[i]!;
  return before ? Math.min(Date.parse(at.at), now()) - Date.parse(before.at) : 0;
}

function seen(e: BootEvent): string {
  const rate = e.bytes && e.took ? `, ${bytes(e.bytes / (e.took / 1e9))}/s` : "";
  return [e.detail, e.address, e.bytes ? bytes(e.bytes) + (e.took ? ` in ${span(nano(e.took))}${rate}` : "") : ""].filter(Boolean).join(" · ");
}
