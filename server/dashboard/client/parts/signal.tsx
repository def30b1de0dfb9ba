/** The strength of a board's Wi-Fi: bars, and the number for those who want it. */
const BARS = [
  { dbm: -85, x: 1, height: 4 },
  { dbm: -75, x: 6, height: 8 },
  { dbm: -67, x: 11, height: 12 },
  { dbm: -55, x: 16, height: 16 },
] as const;

const QUALITY = ['no signal', 'weak', 'fair', 'good', 'strong'] as const;

export function Signal({ dbm }: { dbm: number | null }) {
  if (dbm === null) return <span class="muted">not told</span>;
  const strength = BARS.filter((bar) => dbm >= bar.dbm).length;
  return (
    <span class="signal">
      <svg viewBox="0 0 20 18" aria-hidden="true">
        {BARS.map(({ x, height }, i) => (
          <rect
            key={x}
            x={x}
            y={17 - height}
            width="3.5"
            height={height}
            rx="1"
            class={i < strength ? 'on' : ''}
          />
        ))}
      </svg>
      {QUALITY[strength]} <span class="muted">{Math.round(dbm)} dBm</span>
    </span>
  );
}
