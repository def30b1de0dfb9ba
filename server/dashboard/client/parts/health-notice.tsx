/** What is wrong with the server, or limps, above every view. */
import { sentence } from '../api.ts';
import { useAnswer } from '../use-answer.ts';
import { Icon } from './icon.tsx';

const ASK_EVERY_MS = 30_000;

export function HealthNotice() {
  const { answer, error } = useAnswer<{ degraded: readonly string[] }>('/health', ASK_EVERY_MS);
  // That the server does not answer at all is told beside the navigation.
  const broken = error !== null && error.status >= 500 ? [error.message] : [];
  const told = [...broken, ...(error === null ? (answer?.degraded ?? []) : [])];
  if (told.length === 0) return null;
  return (
    <div class={`notice ${broken.length > 0 ? 'bad' : 'warn'}`} role="status">
      <Icon name="warning" />
      <ul>
        {told.map((text) => (
          <li key={text}>{sentence(text)}</li>
        ))}
      </ul>
    </div>
  );
}
