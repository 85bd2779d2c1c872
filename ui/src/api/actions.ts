// What the pages do. Each says what it could not do when it fails.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call, enc, query } from "./client";
import { keys } from "./queries";
import type {
  AcceptRequest, Application, AttributeValue, DeployRequest, Healing, Invocation, InvokeRequest, Machine, Operation, PowerRequest, RecoverRequest, ReleaseRequest,
  Service, Session, SteerAction, UpdateRequest,
} from "./types";

const machine = (id: string, what: string) => `/machines/${enc(id)}/${what}`;

export const accept = (id: string, body: AcceptRequest) => call<Operation>("POST", machine(id, "accept"), body);
export const power = (id: string, body: PowerRequest) => call<Operation>("POST", machine(id, "power"), body);
export const inspect = (id: string) => call<Operation>("POST", machine(id, "inspect"));
export const release = (id: string, body: ReleaseRequest) => call<Machine>("POST", machine(id, "release"), body);
export const retry = (id: string) => call<Machine>("POST", machine(id, "retry"));
export const cancel = (id: string) => call<Machine>("POST", machine(id, "cancel"));
export const deploy = (body: DeployRequest) => call<Service>("POST", "/services", body);
export const retryService = (name: string) => call<Service>("POST", `/services/${enc(name)}/retry`);
export const remove = (name: string, wipe: string) => call<Service>("DELETE", `/services/${enc(name)}${query({ wipe })}`);
const service = (name: string, what: string) => `/services/${enc(name)}/${what}`;

export const scale = (name: string, instances: number) => call<Service>("POST", service(name, "scale"), { instances });
export const invoke = (name: string, command: string, body: InvokeRequest) =>
  call<Invocation>("POST", service(name, `commands/${enc(command)}`), body);
/** invocation waits up to half a minute for a custom command to be done. */
export const invocation = (name: string, id: string) => call<Invocation>("GET", service(name, `invocations/${enc(id)}${query({ wait: 30 })}`));
export const update = (name: string, body: UpdateRequest) => call<Service>("POST", service(name, "update"), body);
export const steer = (name: string, action: SteerAction) => call<Service>("POST", service(name, "rollout"), { action });
export const resumeHealing = () => call<Healing>("POST", "/healing/resume");
export const recover = (name: string, body: RecoverRequest) => call<Service>("POST", service(name, "recover"), body);
export const maintain = (name: string, seconds: number) => call<Service>("POST", service(name, "maintenance"), { seconds });
export const endMaintenance = (name: string) => call<Service>("DELETE", service(name, "maintenance"));
export const deployApplication = (body: DeployRequest) => call<Application>("POST", "/applications", body);
export const removeApplication = (name: string, wipe: string) =>
  call<Application>("DELETE", `/applications/${enc(name)}${query({ wipe })}`);
export const releaseLease = (address: string) => call<void>("DELETE", `/leases/${enc(address)}`);
export const reveal = (service: string, name: string) =>
  call<AttributeValue>("GET", `/services/${enc(service)}/attributes/${enc(name)}`);
export const login = (token: string) => call<Session>("POST", "/session", { token });
export const logout = () => call<Session>("DELETE", "/session");

/** useAction runs one of them and looks again at what it may have changed. */
export function useAction<In, Out>(run: (input: In) => Promise<Out>, done?: (out: Out) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: (out) => {
      for (const key of [keys.overview, keys.healing, keys.machines, keys.services, keys.applications, keys.leases, keys.subnets, ["machine"], ["service"], ["scaling"], ["revisions"]]) {
        void client.invalidateQueries({ queryKey: key });
      }
      done?.(out);
    },
  });
}
