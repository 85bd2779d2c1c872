// What the pages do. Each says what it could not do when it fails.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call, enc, query } from "./client";
import { keys } from "./queries";
import type {
  AcceptRequest, AttributeValue, DeployRequest, Machine, Operation, PowerRequest, ReleaseRequest, Service, Session,
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
export const reveal = (service: string, name: string) =>
  call<AttributeValue>("GET", `/services/${enc(service)}/attributes/${enc(name)}`);
export const login = (token: string) => call<Session>("POST", "/session", { token });
export const logout = () => call<Session>("DELETE", "/session");

/** useAction runs one of them and looks at machines, services and overview again. */
export function useAction<In, Out>(run: (input: In) => Promise<Out>, done?: (out: Out) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: (out) => {
      for (const key of [keys.overview, keys.machines, keys.services, ["machine"], ["service"]]) {
        void client.invalidateQueries({ queryKey: key });
      }
      done?.(out);
    },
  });
}
