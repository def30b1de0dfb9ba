/** The shell: asks whether this browser is signed in, then shows the navigation and the view that the address names. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { call, onSignedOut } from './api.ts';
import { PageContext } from './page-context.ts';
import { ErrorBoundary } from './parts/error-boundary.tsx';
import { HealthNotice } from './parts/health-notice.tsx';
import { Navigation } from './parts/navigation.tsx';
import { SignIn } from './parts/sign-in.tsx';
import { Toasts, useToasts } from './parts/toasts.tsx';
import { ViewFrame } from './parts/view-frame.tsx';
import { createRecognitions } from './recognitions.ts';
import { useLocation } from './router.ts';
import { openSocket } from './socket.ts';
import { createSources } from './sources.ts';
import { views } from './views.ts';

interface SignInState {
  readonly signedIn: boolean;
  readonly serviceName: string;
}

/** Often enough that the cookie of a page that stays open never ends. */
const RENEW_EVERY_MS = 10 * 60_000;

export function App() {
  const [state, setState] = useState<SignInState | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);

  const ask = useCallback(async () => {
    try {
      const secret = new URLSearchParams(location.search).get('once');
      if (secret !== null) {
        // Used up or not, it has no business in the address any more.
        history.replaceState(null, '', `/${location.hash}`);
        await call('/api/v1/sign-in', { method: 'POST', json: { once: secret } }).then(
          () => setTrouble(null),
          (error: Error) => setTrouble(error.message),
        );
      }
      setState(await call<SignInState>('/api/v1/sign-in'));
    } catch (error) {
      // Who is signed in stays so while the server is away.
      setState((now) => now ?? { signedIn: false, serviceName: '' });
      setTrouble((error as Error).message);
    }
  }, []);

  useEffect(() => {
    void ask();
    const timer = setInterval(() => void ask(), RENEW_EVERY_MS);
    const stop = onSignedOut(() => setState((now) => now && { ...now, signedIn: false }));
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [ask]);

  if (state === null) return null;
  if (!state.signedIn)
    return (
      <SignIn
        serviceName={state.serviceName}
        trouble={trouble}
        onSignedIn={() => {
          setTrouble(null);
          void ask();
        }}
      />
    );
  return <SignedIn onSocketRefused={() => void ask()} onSignOut={() => void ask()} />;
}

function SignedIn({ onSocketRefused, onSignOut }: { onSocketRefused: () => void; onSignOut: () => void }) {
  const segments = useLocation();
  const { toasts, say, dismiss } = useToasts();
  const socket = useMemo(() => openSocket(onSocketRefused), []);
  const sources = useMemo(() => createSources(socket), [socket]);
  const recognitions = useMemo(() => createRecognitions(socket), [socket]);
  useEffect(
    () => () => {
      sources.close();
      recognitions.close();
      socket.close();
    },
    [socket, sources, recognitions],
  );
  const page = useMemo(() => ({ socket, sources, recognitions, say }), [socket, sources, recognitions, say]);
  const view = views.find(({ path }) => path === segments[0]) ?? views[0]!;
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);

  useEffect(() => {
    document.title = `${view.label} · facepool`;
    // A screen reader is told where it is; at the first view the browser says so itself.
    if (!isFirst.current) main.current?.focus();
    isFirst.current = false;
  }, [view]);

  async function signOut(): Promise<void> {
    try {
      await call('/api/v1/sign-out', { method: 'POST' });
      onSignOut();
    } catch (error) {
      say((error as Error).message, 'bad');
    }
  }

  return (
    <PageContext.Provider value={page}>
      <div class="shell">
        <button type="button" class="skip" onClick={() => main.current?.focus()}>
          Skip to the content
        </button>
        <Navigation current={view} onSignOut={() => void signOut()} />
        <main ref={main} tabIndex={-1} class="main">
          <HealthNotice />
          <ErrorBoundary key={view.path}>
            <ViewFrame view={view} rest={segments.slice(1)} />
          </ErrorBoundary>
        </main>
      </div>
      <Toasts toasts={toasts} onDismiss={dismiss} />
    </PageContext.Provider>
  );
}
