// A plain form: which recipe, under which name, how many, on what.
import { useId, useState } from "react";
import { Link, useLocation } from "wouter";
import { deploy, deployApplication, useAction } from "../api/actions";
import { enc } from "../api/client";
import { useImages, useOverview, usePlan, useRecipes, useTemplates } from "../api/queries";
import type { DeployRequest, Recipe, Template } from "../api/types";
import { useParam } from "../parts/address";
import { bytes, count } from "../parts/format";
import { Empty, Failure, Waiting } from "../parts/notice";
import { PlanView } from "../parts/plan";
import { Head } from "../parts/shell";

export function Deploy() {
  const recipes = useRecipes();
  const [name] = useParam("recipe");
  const [digest] = useParam("digest");
  if (!recipes.data) {
    return (
      <>
        <Head title="Deploy" />
        <Waiting of={recipes} what="The recipes" />
      </>
    );
  }
  const recipe = recipes.data.find((r) => (digest ? r.digest === digest : r.name === name));
  if (!recipe) {
    return (
      <>
        <Head title="Deploy" />
        <Empty title={name || digest ? `There is no recipe ${name || digest}.` : "Choose a recipe first."}>
          <p>
            <Link href="/catalogue">Go to the catalogue</Link>
          </p>
        </Empty>
      </>
    );
  }
  const Shape = (recipe.members ?? []).length > 0 ? ApplicationForm : Form;
  return <Shape key={recipe.digest} recipe={recipe} byDigest={digest !== ""} />;
}

function Form({ recipe: r, byDigest }: { recipe: Recipe; byDigest: boolean }) {
  const [, go] = useLocation();
  const templates = useTemplates();
  const images = useImages();
  const overview = useOverview();
  const least = Math.max(1, r.min);
  const most = Math.max(least, r.max || 1000);
  const [name, setName] = useState(r.name.toLowerCase());
  const [instances, setInstances] = useState(String(Math.max(r.instances, least)));
  const [template, setTemplate] = useState(r.template ?? "");
  const [image, setImage] = useState("");
  const [planned, setPlanned] = useState<DeployRequest>();
  const plan = usePlan(planned ?? {}, planned !== undefined);
  const run = useAction(deploy, (s) => go(`/services/${enc(s.name)}`));
  const request = (): DeployRequest => ({
    ...(byDigest ? { digest: r.digest } : { recipe: r.name }),
    name: name.trim(),
    instances: Number(instances),
    ...(template.trim() ? { template: template.trim() } : {}),
    ...(image ? { image } : {}),
  });
  // The plan of another request than the form's says nothing.
  const current = planned !== undefined && JSON.stringify(planned) === JSON.stringify(request());
  const list = useId();
  const known = (templates.data ?? []).find((t) => t.name === template);
  const free = overview.data?.free[template];
  return (
    <>
      <Head title={`Deploy ${r.name}`}>
        <p className="lead">{r.description}</p>
      </Head>
      <form
        className="form"
        onSubmit={(e) => {
          e.preventDefault();
          // What was planned is what is done: a plan that is stale by now is refused.
          run.mutate({ ...request(), ...(current && plan.data ? { plan: plan.data.digest } : {}) });
        }}
      >
        <label className="field">
          <span>Name</span>
          <input value={name} onChange={(e) => setName(e.target.value)} required maxLength={50} autoComplete="off" spellCheck={false} />
          <small>Lower-case letters, digits and dashes. The service is called so everywhere.</small>
        </label>
        <label className="field">
          <span>Instances</span>
          <input type="number" inputMode="numeric" value={instances} min={least} max={most} onChange={(e) => setInstances(e.target.value)} required />
          <small>{least === most ? `This recipe runs as ${count(least, "instance")}.` : `This recipe runs as ${least} to ${most} instances, each on a machine of its own.`}</small>
        </label>
        <label className="field">
          <span>Template</span>
          <input value={template} list={list} onChange={(e) => setTemplate(e.target.value)} autoComplete="off" spellCheck={false} />
          <small>{known ? wants(known, free) : "The size of machine that it wants; empty: what the recipe says."}</small>
          <datalist id={list}>
            {(templates.data ?? []).map((t) => (
              <option key={t.name} value={t.name} />
            ))}
          </datalist>
        </label>
        <label className="field">
          <span>Image</span>
          <select value={image} onChange={(e) => setImage(e.target.value)}>
            <option value="">{known?.image ? `the template's: ${known.image}` : "the appliance's default"}</option>
            {(images.data ?? []).map((i) => (
              <option key={i.name} value={i.name}>
                {i.name}
              </option>
            ))}
          </select>
          {images.data?.length === 0 && <small>The library is empty: fill it with <code>appliance image build</code> first.</small>}
        </label>
        {run.error && <Failure what={`${name || r.name} was not deployed.`} error={run.error} />}
        <div className="buttons">
          <button type="submit" className="primary" disabled={run.isPending}>
            {run.isPending ? "Deploying …" : "Deploy"}
          </button>
          <button type="button" onClick={() => setPlanned(request())} disabled={plan.isFetching}>
            {plan.isFetching ? "Planning …" : "Show the plan"}
          </button>
          <Link href="/catalogue" className="button">Back to the catalogue</Link>
        </div>
        {current && plan.error && <Failure what="There is no plan." error={plan.error} />}
        {current && plan.data && <PlanView plan={plan.data} />}
      </form>
    </>
  );
}

// An application says itself what it is made of: there is a name, and its plan.
function ApplicationForm({ recipe: r, byDigest }: { recipe: Recipe; byDigest: boolean }) {
  const [, go] = useLocation();
  const [name, setName] = useState(r.name.toLowerCase());
  const request: DeployRequest = { ...(byDigest ? { digest: r.digest } : { recipe: r.name }), name: name.trim() };
  const [planned, setPlanned] = useState(request);
  const plan = usePlan(planned, true);
  const run = useAction(deployApplication, (a) => go(`/applications/${enc(a.name)}`));
  const current = planned.name === request.name;
  return (
    <>
      <Head title={`Deploy ${r.name}`}>
        <p className="lead">{r.description}</p>
      </Head>
      <form
        className="form"
        onSubmit={(e) => {
          e.preventDefault();
          run.mutate({ ...request, ...(current && plan.data ? { plan: plan.data.digest } : {}) });
        }}
      >
        <label className="field">
          <span>Name</span>
          <input value={name} onChange={(e) => setName(e.target.value)} onBlur={() => setPlanned(request)} required maxLength={50} autoComplete="off" spellCheck={false} />
          <small>Its services are called {name.trim() || "NAME"}.SERVICE.</small>
        </label>
        {run.error && <Failure what={`${name || r.name} was not deployed.`} error={run.error} />}
        <div className="buttons">
          <button type="submit" className="primary" disabled={run.isPending}>
            {run.isPending ? "Deploying …" : "Deploy"}
          </button>
          <Link href="/catalogue" className="button">Back to the catalogue</Link>
        </div>
        {plan.error && <Failure what="There is no plan." error={plan.error} />}
        {plan.data && <PlanView plan={plan.data} />}
      </form>
    </>
  );
}

function wants(t: Template, free: number | undefined): string {
  const needs = [t.cores ? `${count(t.cores, "core")}` : "", t.memory ? `${bytes(t.memory)} of memory` : "", t.disk ? `${bytes(t.disk)} of disk` : ""].filter(Boolean).join(", ");
  const pool = free === undefined ? "" : free === 0 ? " No machine of this size is free now: the service waits until one is." : ` ${count(free, "machine")} of this size ${free === 1 ? "is" : "are"} free.`;
  return `Wants at least ${needs || "any machine"}.${pool}`;
}
