// The event stream: it opens once, patches what was read, and says when it is
// lost. Stored events come again after a loss; the rest is read anew.
import type { QueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { ApiError, call, now } from "./client";
import { keys } from "./queries";
import { Patcher } from "./patch";
import type { StreamMessage } from "./types";

/** Link is how the connection to the appliance is. */
export interface Link {
  state: "connecting" | "live" | "lost";
  /** since is when the data was last known to be fresh. */
  since: number;
}

const checkEvery = 15_000; // a connection that is cut without a word is found by asking
const checkTime = 8_000;
const againAfter = 2_000;

export class Stream {
  private link: Link = { state: "connecting", since: now() };
  private readonly listeners = new Set<() => void>();
  private source: EventSource | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;
  private again: ReturnType<typeof setTimeout> | undefined;
  private last = "";
  private opened = false;
  private readonly patcher: Patcher;
  private readonly client: QueryClient;

  constructor(client: QueryClient) {
    this.client = client;
    this.patcher = new Patcher(client);
  }

  start() {
    this.open();
    this.timer = setInterval(() => void this.check(), checkEvery);
  }

  stop() {
    clearInterval(this.timer);
    clearTimeout(this.again);
    this.source?.close();
    this.source = undefined;
    this.patcher.stop();
  }

  subscribe = (f: () => void) => {
    this.listeners.add(f);
    return () => void this.listeners.delete(f);
  };

  get = () => this.link;

  private set(state: Link["state"]) {
    if (state === this.link.state) return;
    // While it is live the data is fresh: it is old since the loss is noticed.
    this.link = { state, since: now() };
    for (const f of this.listeners) f();
  }

  private open() {
    this.source?.close();
    const source = new EventSource("/api/v1/stream" + (this.last ? "?after=" + this.last : ""));
    this.source = source;
    source.onopen = () => {
      const back = this.opened;
      this.opened = true;
      this.set("live");
      // What is not stored (boot, output, progress) was missed.
      if (back) void this.client.invalidateQueries();
    };
    source.onerror = () => this.lose(source);
    for (const name of ["event", "live", "boot", "log"]) {
      source.addEventListener(name, (e) => {
        const m = e as MessageEvent<string>;
        if (m.lastEventId) this.last = m.lastEventId;
        this.patcher.take(JSON.parse(m.data) as StreamMessage);
      });
    }
  }

  private lose(source: EventSource) {
    if (source !== this.source) return;
    this.set("lost");
    // A browser tries again by itself, but not after an answer that is no stream.
    if (source.readyState === EventSource.CLOSED) {
      clearTimeout(this.again);
      this.again = setTimeout(() => void this.check().then(() => this.source === source && this.open()), againAfter);
    }
  }

  private async check() {
    const source = this.source;
    try {
      await call("GET", "/session", undefined, AbortSignal.timeout(checkTime));
    } catch (err) {
      if (err instanceof ApiError && err.status === 401) void this.client.resetQueries({ queryKey: keys.session });
      else if (source) {
        this.set("lost");
        if (source === this.source && source.readyState === EventSource.OPEN) this.open();
      }
    }
  }
}

export const useLink = (stream: Stream): Link => useSyncExternalStore(stream.subscribe, stream.get);
