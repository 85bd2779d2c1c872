// What the pages read. The event stream keeps it fresh (stream.ts), so nothing
// is read again by time, but what counts down.
import { QueryClient, useQuery } from "@tanstack/react-query";
import { ApiError, call, enc, query } from "./client";
import type {
  Application, BootShow, DeployRequest, Event, Healing, Image, Lease, LogLine, Machine, Overview, Plan, Readings, Recipe, Reservation, Revision, Samples, ScalingView,
  Service, Session, Subnet, Template, Version,
} from "./types";

/** eventLimit is how many events a page holds. */
export const eventLimit = 500;
/** lineLimit is how many lines of output are held. */
export const lineLimit = 2000;

export const keys = {
  session: ["session"] as const,
  version: ["version"] as const,
  overview: ["overview"] as const,
  healing: ["healing"] as const,
  machines: ["machines"] as const,
  machine: (id: string) => ["machine", id] as const,
  boot: (id: string) => ["boot", id] as const,
  console: (id: string) => ["console", id] as const,
  services: ["services"] as const,
  service: (name: string) => ["service", name] as const,
  logs: (service: string) => ["logs", service] as const,
  scaling: (service: string) => ["scaling", service] as const,
  revisions: (service: string) => ["revisions", service] as const,
  readings: (service: string) => ["readings", service] as const,
  samples: (service: string) => ["samples", service] as const,
  applications: ["applications"] as const,
  plan: (request: DeployRequest) => ["plan", request] as const,
  subnets: ["subnets"] as const,
  leases: ["leases"] as const,
  reservations: ["reservations"] as const,
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

export const useHealing = () => useQuery({ queryKey: keys.healing, queryFn: get<Healing>("/healing") });

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

const settled = 15_000; // what changes without an event is read again after so long

export const useScaling = (service: string) =>
  useQuery({ queryKey: keys.scaling(service), queryFn: get<ScalingView>(`/services/${enc(service)}/scaling`), refetchInterval: settled });

export const useRevisions = (service: string) =>
  useQuery({ queryKey: keys.revisions(service), queryFn: get<Revision[] | null>(`/services/${enc(service)}/revisions`) });

export const useReadings = (service: string) =>
  useQuery({ queryKey: keys.readings(service), queryFn: get<Readings[] | null>(`/services/${enc(service)}/readings`), refetchInterval: settled });

export const useSamples = (service: string) =>
  useQuery({ queryKey: keys.samples(service), queryFn: get<Samples>(`/services/${enc(service)}/samples`), refetchInterval: settled });

export const useApplications = () =>
  useQuery({ queryKey: keys.applications, queryFn: get<Application[] | null>("/applications") });

/** usePlan asks what a deployment would do; it is asked anew for every other request. */
export const usePlan = (request: DeployRequest, on: boolean) =>
  useQuery({
    queryKey: keys.plan(request),
    queryFn: ({ signal }) => call<Plan>("POST", "/plans", request, signal),
    enabled: on,
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });

export const useSubnets = () =>
  useQuery({ queryKey: keys.subnets, queryFn: get<Subnet[] | null>("/subnets"), refetchInterval: settled });
export const useLeases = () => useQuery({ queryKey: keys.leases, queryFn: get<Lease[] | null>("/leases"), refetchInterval: settled });
export const useReservations = () => useQuery({ queryKey: keys.reservations, queryFn: get<Reservation[] | null>("/reservations") });

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
