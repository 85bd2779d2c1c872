// Who is in gets the pages, everybody else the door.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { Route, Switch, useLocation } from "wouter";
import { ApiError } from "./api/client";
import { keys, useSession } from "./api/queries";
import { Stream } from "./api/stream";
import type { Session } from "./api/types";
import { ApplicationPage, Applications } from "./pages/applications";
import { Catalogue } from "./pages/catalogue";
import { Deploy } from "./pages/deploy";
import { Events } from "./pages/events";
import { Help } from "./pages/help";
import { Login } from "./pages/login";
import { MachinePage } from "./pages/machine";
import { Machines } from "./pages/machines";
import { Missing } from "./pages/missing";
import { Network } from "./pages/network";
import { Overview } from "./pages/overview";
import { ServicePage } from "./pages/service";
import { Services } from "./pages/services";
import { useKeyboard } from "./parts/keyboard";
import { Failure } from "./parts/notice";
import { Shell } from "./parts/shell";

export function App() {
  const session = useSession();
  if (session.data) return <Inside session={session.data} />;
  if (session.isPending) return <p className="door dim" role="status">Asking the appliance …</p>;
  if (session.error instanceof ApiError && session.error.status === 401) return <Login />;
  return <Unreachable error={session.error} again={() => void session.refetch()} />;
}

function Unreachable({ error, again }: { error: unknown; again: () => void }) {
  useEffect(() => {
    const t = setInterval(again, 3000);
    return () => clearInterval(t);
  }, [again]);
  return (
    <main className="door">
      <h1>appliance</h1>
      <Failure what="The console could not ask who you are." error={error} />
      <button type="button" onClick={again}>Try again now</button>
    </main>
  );
}

function Inside({ session }: { session: Session }) {
  const client = useQueryClient();
  const stream = useMemo(() => new Stream(client), [client]);
  const [location, go] = useLocation();
  useKeyboard(go);
  useEffect(() => {
    stream.start();
    return () => stream.stop();
  }, [stream]);
  // An answer "who are you" to anything means that the session is over.
  useEffect(
    () =>
      client.getQueryCache().subscribe((e) => {
        const err = e.query.state.error;
        if (e.type === "updated" && e.query.queryKey[0] !== "session" && err instanceof ApiError && err.status === 401) {
          void client.resetQueries({ queryKey: keys.session });
        }
      }),
    [client],
  );
  useEffect(() => {
    void window.scrollTo(0, 0);
  }, [location]);
  return (
    <Shell session={session} stream={stream}>
      <Switch>
        <Route path="/" component={Overview} />
        <Route path="/machines" component={Machines} />
        <Route path="/machines/:id">{(p) => <MachinePage key={p.id} id={decodeURIComponent(p.id)} />}</Route>
        <Route path="/services" component={Services} />
        <Route path="/services/:name">{(p) => <ServicePage key={p.name} name={decodeURIComponent(p.name)} />}</Route>
        <Route path="/applications" component={Applications} />
        <Route path="/applications/:name">{(p) => <ApplicationPage key={p.name} name={decodeURIComponent(p.name)} />}</Route>
        <Route path="/network" component={Network} />
        <Route path="/catalogue" component={Catalogue} />
        <Route path="/deploy" component={Deploy} />
        <Route path="/events" component={Events} />
        <Route path="/help" component={Help} />
        <Route component={Missing} />
      </Switch>
    </Shell>
  );
}
