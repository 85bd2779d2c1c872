// What the pages read. The event stream keeps it fresh (stream.ts), so nothing
// is read again by time, but what counts down.
import { QueryClient, useQuery } from "@tanstack/react-query";
import { ApiError, call, enc, query } from "./client";
import type {
  BootShow, Event, Image, LogLine, Machine, Overview, Recipe, Service, Session, Template, Version,
} from "./types";

/** eventLimit is how many events a page holds. */
export const eventLimit = 500;
/** lineLimit is how many lines of output are held. */
export const lineLimit = 2000;

export const keys = {
  session: ["session"] as const,
  version: ["version"] as const,
  overview: ["overview"] as const,
  machines: ["machines"] as const,
  machine: (id: string) => ["machine", id] as const,
  boot: (id: string) => ["boot", id] as const,
  console: (id: string) => ["console", id] as const,
  services: ["services"] as const,
  service: (name: string) => ["service", name] as const,
  logs: (service: string) => ["logs", service] as const,
  events: (filter: EventFilter) => ["events", filter] as const,
  recipes: ["recipes"] as const,
  templates: ["templates"] as const,
  images: ["images"] as const,
};

/** EventFilter is what the API filters by. */
export interface EventFilter {
  machine?: string | undefined;
  service?: string | undefined;
  type?: string | undefined;
  severity?: string | undefined;
}

export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 60_000,
        refetchOnWindowFocus: false,
        retry: (count, err) => count < 2 && !(err instanceof ApiError && err.status >= 400 && err.status < 500),
        retryDelay: 500,
      },
    },
  });
}

const get = <T>(path: string) => ({ signal }: { signal: AbortSignal }) => call<T>("GET", path, undefined, signal);

export const useSession = () =>
  useQuery({ queryKey: keys.session, queryFn: get<Session>("/session"), retry: false, staleTime: Infinity });

export const useVersion = () => useQuery({ queryKey: keys.version, queryFn: get<Version>("/version") });

export const useOverview = () => useQuery({ queryKey: keys.overview, queryFn: get<Overview>("/overview") });

export const useMachines = () => useQuery({ queryKey: keys.machines, queryFn: get<Machine[]>("/machines") });

/** useMachine reads one machine; while something runs its sentence counts, so it is read again. */
export const useMachine = (id: string) =>
  useQuery({
    queryKey: keys.machine(id),
    queryFn: get<Machine>(`/machines/${enc(id)}`),
    refetchInterval: (q) => (isOpen(q.state.data?.operation?.status) ? 5000 : false),
  });

export const useBoot = (id: string) =>
  useQuery({ queryKey: keys.boot(id), queryFn: get<BootShow>(`/machines/${enc(id)}/boot`) });

export const useConsole = (id: string) =>
  useQuery({ queryKey: keys.console(id), queryFn: get<LogLine[]>(`/machines/${enc(id)}/console${query({ last: true, limit: lineLimit })}`) });

export const useServices = () => useQuery({ queryKey: keys.services, queryFn: get<Service[]>("/services") });

export const useService = (name: string) =>
  useQuery({ queryKey: keys.service(name), queryFn: get<Service>(`/services/${enc(name)}`) });

export const useLogs = (service: string) =>
  useQuery({ queryKey: keys.logs(service), queryFn: get<LogLine[]>(`/services/${enc(service)}/logs${query({ last: true, limit: lineLimit })}`) });

export const useEvents = (filter: EventFilter) =>
  useQuery({
    queryKey: keys.events(filter),
    queryFn: get<Event[]>("/events" + query({ ...filter, last: true, limit: eventLimit })),
  });

export const useRecipes = () => useQuery({ queryKey: keys.recipes, queryFn: get<Recipe[]>("/recipes") });
export const useTemplates = () => useQuery({ queryKey: keys.templates, queryFn: get<Template[]>("/templates") });
export const useImages = () => useQuery({ queryKey: keys.images, queryFn: get<Image[]>("/images") });

/** isOpen says whether an operation's status leaves something to do. */
export const isOpen = (status: string | undefined): boolean =>
  status === "queued" || status === "running" || status === "waiting";
