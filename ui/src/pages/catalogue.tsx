import { Link } from "wouter";
import { enc } from "../api/client";
import { useRecipes } from "../api/queries";
import type { Recipe } from "../api/types";
import { Badge } from "../parts/badge";
import { count } from "../parts/format";
import { Empty, Waiting } from "../parts/notice";
import { Head } from "../parts/shell";

export function Catalogue() {
  const recipes = useRecipes();
  return (
    <>
      <Head title="Catalogue">
        <p className="lead">What can be put on a machine of the pool.</p>
      </Head>
      {!recipes.data ? (
        <Waiting of={recipes} what="The catalogue" />
      ) : recipes.data.length === 0 ? (
        <Empty title="No recipes yet.">
          <p>
            A recipe is a folder. Write one with <code>appliance recipe new NAME</code>, try it with <code>appliance recipe check FOLDER</code>; <code>appliance deploy FOLDER</code> uploads it.
          </p>
        </Empty>
      ) : (
        <ul className="catalogue">
          {recipes.data.map((r) => (
            <Card key={r.digest} recipe={r} />
          ))}
        </ul>
      )}
    </>
  );
}

function Card({ recipe: r }: { recipe: Recipe }) {
  const parts = (r.members ?? []).length;
  return (
    <li className="card">
      <div className="card-line">
        <h2>{r.name}</h2>
        {r.type && <span className="dim">{r.type.toLowerCase().replaceAll("_", " ")}</span>}
      </div>
      <p>{r.description || "Its author gave no description."}</p>
      <p className="badges">
        {parts > 0 ? <Badge tone="none">application of {count(parts, "service")}</Badge> : null}
        {parts === 0 && <Badge tone="none">{r.stateful ? "keeps data" : "keeps no data"}</Badge>}
        {parts === 0 && <Badge tone="none">{r.min === r.max ? count(r.min, "instance") : `${r.min} to ${r.max} instances`}</Badge>}
        {r.template && <Badge tone="none">{r.template}</Badge>}
        {r.port ? <Badge tone="none">port {r.port}</Badge> : null}
        <Badge tone="none">{r.shipped ? "shipped" : "uploaded"}</Badge>
      </p>
      {(r.warnings ?? []).length > 0 && (
        <details>
          <summary>{count((r.warnings ?? []).length, "warning")}</summary>
          <ul>
            {(r.warnings ?? []).map((w) => (
              <li key={w}>{w}</li>
            ))}
          </ul>
        </details>
      )}
      <Link href={`/deploy?${r.shipped ? `recipe=${enc(r.name)}` : `digest=${enc(r.digest)}`}`} className="button primary" aria-label={`Deploy ${r.name}`} data-row>
        Deploy …
      </Link>
    </li>
  );
}
