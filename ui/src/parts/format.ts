// Numbers with units, times with words. The same forms as the sentences of the API.

export function bytes(n: number | undefined): string {
  if (n === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let i = 0;
  while (n >= 1024 && i < units.length - 1) {
    n /= 1024;
    i++;
  }
  return i === 0 ? `${n} B` : `${n.toFixed(n < 10 ? 1 : 0)} ${units[i]}`;
}

/** diskSize uses decimal units, as on a disk's label. */
export function diskSize(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return `${n.toFixed(n < 10 && i > 0 ? 1 : 0)} ${units[i]}`;
}

/** span writes milliseconds: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min, 4 days. */
export function span(ms: number): string {
  const s = Math.max(0, ms) / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  if (whole < 120) return `${whole} s`;
  const min = Math.floor(whole / 60);
  if (min < 120) return whole % 60 ? `${min} min ${whole % 60} s` : `${min} min`;
  const h = Math.floor(min / 60);
  return h < 48 ? `${h} h ${min % 60} min` : `${Math.floor(h / 24)} days`;
}

/** ago says how long before now a time was, or how long until it comes. */
export function ago(at: number, now: number): string {
  const s = Math.round((now - at) / 1000);
  const rough = (n: number) =>
    n < 60 ? `${n} s` : n < 3600 ? `${Math.floor(n / 60)} min` : n < 172_800 ? `${Math.floor(n / 3600)} h` : `${Math.floor(n / 86_400)} days`;
  if (s <= -2) return `in ${rough(-s)}`;
  return s < 2 ? "now" : `${rough(s)} ago`;
}

/** exact is a time to the second, in the reader's zone. */
export function exact(at: string | number): string {
  return new Date(at).toLocaleString(undefined, {
    year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
  });
}

export function count(n: number, one: string, many = one + "s"): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** title makes the first letter a capital. */
export const title = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** seconds of a Go duration (nanoseconds), in milliseconds for span. */
export const nano = (ns: number): number => ns / 1e6;
