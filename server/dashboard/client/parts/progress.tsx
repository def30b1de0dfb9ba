/** Something takes long: says what, moves while it does, and how far it is where that is known. */
export function Progress({ label, fraction }: { label: string; fraction?: number }) {
  return (
    <div class="progress" role="status">
      <p>{label}</p>
      <progress aria-label={label} max={1} value={fraction} />
    </div>
  );
}
