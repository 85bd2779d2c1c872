// What a service's instances say of themselves: details, and monitors drawn as
// the recipe groups them.
import { useReadings, useSamples } from "../api/queries";
import type { Readings, Recipe, Sample, Samples, Service } from "../api/types";
import { bytes, span } from "../parts/format";
import { Spark } from "../parts/spark";

interface Shown {
  name: string;
  metrics: { name: string; unit: string }[];
}

export function Measures({ service: s }: { service: Service }) {
  if (!s.recipe.hasMonitors && !s.recipe.hasDetails) return null;
  return <Read service={s} />;
}

function Read({ service: s }: { service: Service }) {
  const readings = useReadings(s.name);
  const samples = useSamples(s.name);
  const all = [...(readings.data ?? [])].sort((a, b) => a.number - b.number);
  if (all.length === 0) return null;
  const shown = groups(s.recipe, all);
  return (
    <section aria-labelledby="measures-head">
      <h2 id="measures-head">Monitors</h2>
      {shown.map((g) => (
        <Group key={g.name} group={g} readings={all} samples={samples.data ?? {}} />
      ))}
      {all.map((r) => (
        <Details key={r.instance} of={r} />
      ))}
    </section>
  );
}

/** groups are the recipe's metric groups; monitors that none of them names come last. */
function groups(recipe: Recipe, readings: Readings[]): Shown[] {
  const out: Shown[] = (recipe.metricGroups ?? []).map((g) => ({ name: g.name, metrics: g.metrics ?? [] }));
  const named = new Set(out.flatMap((g) => g.metrics.map((m) => m.name)));
  const rest = [...new Set(readings.flatMap((r) => Object.keys(r.monitors ?? {})))].filter((m) => !named.has(m)).sort();
  if (rest.length > 0) out.push({ name: out.length > 0 ? "Others" : "", metrics: rest.map((name) => ({ name, unit: "REGULAR" })) });
  return out;
}

function Group({ group: g, readings, samples }: { group: Shown; readings: Readings[]; samples: Samples }) {
  return (
    <div className="measures">
      {g.name && <h3>{g.name}</h3>}
      <table className="plain">
        <thead>
          <tr>
            <th scope="col">Monitor</th>
            {readings.map((r) => (
              <th scope="col" key={r.instance}>Instance {r.number}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {g.metrics.map((m) => (
            <tr key={m.name}>
              <th scope="row">{m.name}</th>
              {readings.map((r) => (
                <td key={r.instance}>
                  <Cell value={r.monitors?.[m.name]} unit={m.unit} samples={samples[r.instance]?.[m.name] ?? []} label={`${m.name}, instance ${r.number}`} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ value, unit, samples, label }: { value: unknown; unit: string; samples: Sample[]; label: string }) {
  return (
    <span className="measure">
      <span className="num">{value === undefined || value === null ? "–" : written(value, unit)}</span>
      {samples.length > 1 && <Spark points={samples.map((s) => ({ at: Date.parse(s.at), value: s.value }))} label={label} />}
    </span>
  );
}

/** written is a reading in its unit: bytes for MEMORY, milliseconds for DURATION. */
function written(value: unknown, unit: string): string {
  const n = Number(value);
  if (typeof value === "object" || value === "" || Number.isNaN(n)) return typeof value === "string" ? value : JSON.stringify(value);
  switch (unit) {
    case "PERCENTAGE":
      return `${n.toFixed(n < 10 ? 1 : 0)} %`;
    case "MEMORY":
      return bytes(Math.round(n));
    case "DURATION":
      return span(n);
  }
  return Number.isInteger(n) ? n.toLocaleString("en-GB") : n.toPrecision(4);
}

function Details({ of: r }: { of: Readings }) {
  const all = Object.entries(r.details ?? {});
  if (all.length === 0 && !r.trouble) return null;
  return (
    <div className="measures">
      <h3>Instance {r.number}</h3>
      {r.trouble && <p className="bad-text">{r.trouble}</p>}
      {all.length > 0 && (
        <dl className="pairs boxed">
          {all.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{written(value, "REGULAR")}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}
