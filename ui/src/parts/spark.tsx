// A small line of what a number was: no axis, its lowest and highest in words.

interface Point {
  at: number;
  value: number;
}

const width = 120;
const height = 26;

export function Spark({ points, label }: { points: Point[]; label: string }) {
  const low = Math.min(...points.map((p) => p.value));
  const high = Math.max(...points.map((p) => p.value));
  const first = points[0]?.at ?? 0;
  const wide = Math.max(1, (points.at(-1)?.at ?? 0) - first);
  const x = (p: Point) => 1 + ((p.at - first) / wide) * (width - 2);
  const y = (p: Point) => (high === low ? height / 2 : height - 2 - ((p.value - low) / (high - low)) * (height - 4));
  const said = `${label}: between ${low.toPrecision(3)} and ${high.toPrecision(3)}`;
  return (
    <svg className="spark" viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={said}>
      <title>{said}</title>
      <polyline fill="none" stroke="currentColor" strokeWidth="1.5" points={points.map((p) => `${x(p).toFixed(1)},${y(p).toFixed(1)}`).join(" ")} />
    </svg>
  );
}
