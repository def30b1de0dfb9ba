/** Short messages at the edge of the page, told to screen readers as they come. */
import { useCallback, useState } from 'preact/hooks';
import { Icon } from './icon.tsx';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly kind: 'good' | 'bad';
}

const SHOWN_MS = 6000;
const MOST_SHOWN = 4;
let lastId = 0;

export function useToasts() {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const dismiss = useCallback((id: number) => setToasts((now) => now.filter((toast) => toast.id !== id)), []);
  const say = useCallback(
    (text: string, kind: 'good' | 'bad' = 'good') => {
      const id = ++lastId;
      setToasts((now) => [...now, { id, text, kind }].slice(-MOST_SHOWN));
      // What went wrong stays until somebody has read it.
      if (kind === 'good') setTimeout(() => dismiss(id), SHOWN_MS);
    },
    [dismiss],
  );
  return { toasts, say, dismiss };
}

export function Toasts({ toasts, onDismiss }: { toasts: readonly Toast[]; onDismiss: (id: number) => void }) {
  return (
    <div class="toasts" role="log" aria-live="polite" aria-label="Messages">
      {toasts.map(({ id, text, kind }) => (
        <div key={id} class={`toast ${kind}`}>
          <p>{text}</p>
          <button
            type="button"
            class="quiet icon-only"
            aria-label="Close the message"
            onClick={() => onDismiss(id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
