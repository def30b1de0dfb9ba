/** Asks for the API key. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { call, words } from '../api.ts';
import { Icon } from './icon.tsx';

export interface SignInProps {
  readonly serviceName: string;
  /** Why signing in by a link did not work. */
  readonly trouble: string | null;
  readonly onSignedIn: () => void;
}

export function SignIn({ serviceName, trouble, onSignedIn }: SignInProps) {
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const told = error ?? trouble;
  useEffect(() => field.current?.focus(), []);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await call('/api/v1/sign-in', { method: 'POST', json: { key: field.current!.value } });
      onSignedIn();
    } catch (thrown) {
      setError(words(thrown));
      field.current?.select();
    } finally {
      setBusy(false);
    }
  }

  return (
    <main class="sign-in">
      <form class="card" onSubmit={(event) => void submit(event)}>
        <p class="brand">
          <Icon name="face" />
          facepool
        </p>
        <h1>Sign in</h1>
        {serviceName !== '' && <p class="muted">{serviceName}</p>}
        <label>
          API key
          <input
            ref={field}
            name="key"
            type="password"
            autocomplete="current-password"
            required
            aria-describedby="key-help"
            aria-invalid={told !== null}
          />
        </label>
        <p id="key-help" class="muted small">
          It was shown when the server first started, and lies in its data folder as <code>api-key</code>. A
          server that runs in a terminal also prints a link there that signs in once.
        </p>
        <p class="trouble" role="alert">
          {told}
        </p>
        <button type="submit" class="primary" disabled={busy}>
          {busy ? 'Signing in' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}
