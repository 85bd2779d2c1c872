// What stands around every page: where one can go, how the connection is.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { logout } from "../api/actions";
import { keys, useOverview, useVersion } from "../api/queries";
import { useLink, type Stream } from "../api/stream";
import type { Session } from "../api/types";
import { exact } from "./format";
import { setTheme, useTheme, type Theme } from "./theme";
import { Ago } from "./time";

const places = [
  { path: "/", name: "Overview" },
  { path: "/machines", name: "Machines" },
  { path: "/services", name: "Services" },
  { path: "/applications", name: "Applications" },
  { path: "/catalogue", name: "Catalogue" },
  { path: "/network", name: "Network" },
  { path: "/events", name: "Events" },
];

export function Shell({ session, stream, children }: { session: Session; stream: Stream; children: ReactNode }) {
  const [at] = useLocation();
  const overview = useOverview();
  const wants = overview.data?.attention?.length ?? 0;
  const here = (path: string) => (path === "/" ? at === "/" : at === path || at.startsWith(path + "/") || (path === "/catalogue" && at === "/deploy"));
  return (
    <>
      <a className="skip" href="#content">Skip to the content</a>
      <header className="top">
        <Link href="/" className="brand">
          <Mark /> appliance
        </Link>
        <nav aria-label="Pages">
          {places.map((p) => (
            <Link key={p.path} href={p.path} {...(here(p.path) ? { "aria-current": "page" as const } : {})}>
              {p.name}
              {p.path === "/" && wants > 0 && (
                <span className="count" title={`${wants} need a person`}>
                  {wants}
                  <span className="sr"> need a person</span>
                </span>
              )}
            </Link>
          ))}
        </nav>
        <Status stream={stream} />
      </header>
      <Banner stream={stream} />
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <Foot session={session} />
    </>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
      <rect x="1" y="2" width="18" height="4.5" rx="1.2" fill="currentColor" />
      <rect x="1" y="7.8" width="18" height="4.5" rx="1.2" fill="currentColor" opacity=".6" />
      <rect x="1" y="13.6" width="11" height="4.5" rx="1.2" fill="currentColor" opacity=".35" />
    </svg>
  );
}

function Status({ stream }: { stream: Stream }) {
  const link = useLink(stream);
  const words = { live: "live", connecting: "connecting", lost: "not live" };
  return (
    <span className={`link link-${link.state}`} role="status" title={`since ${exact(link.since)}`}>
      <span aria-hidden="true">{link.state === "live" ? "●" : "○"}</span> {words[link.state]}
    </span>
  );
}

/** Banner says that what is shown is old, and since when. */
function Banner({ stream }: { stream: Stream }) {
  const link = useLink(stream);
  if (link.state !== "lost") return null;
  return (
    <div className="banner" role="alert">
      <strong>The connection to the appliance is lost.</strong> What you see is as of {exact(link.since)} (<Ago at={link.since} />). It is tried again by itself.
    </div>
  );
}

function Foot({ session }: { session: Session }) {
  const client = useQueryClient();
  const version = useVersion();
  const theme = useTheme();
  const leave = () =>
    void logout()
      .catch(() => undefined)
      .then(() => {
        client.removeQueries({ predicate: (q) => q.queryKey[0] !== keys.session[0] });
        return client.resetQueries({ queryKey: keys.session });
      });
  return (
    <footer>
      <span>appliance {version.data?.version ?? ""}</span>
      <span>
        {session.name} ({session.role})
      </span>
      <Link href="/help">
        Help <kbd>?</kbd>
      </Link>
      <label>
        Theme{" "}
        <select value={theme} onChange={(e) => setTheme(e.target.value as Theme)}>
          <option value="auto">as the system</option>
          <option value="light">light</option>
          <option value="dark">dark</option>
        </select>
      </label>
      <button type="button" className="quiet" onClick={leave}>
        Log out
      </button>
    </footer>
  );
}

/** Head is a page's heading; it names the browser's tab, too. */
export function Head({ title, children }: { title: string; children?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · appliance`;
  }, [title]);
  return (
    <div className="head">
      <h1>{title}</h1>
      {children}
    </div>
  );
}
