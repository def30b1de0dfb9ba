/** Where one can go, whether the connection stands, the theme, the way out: a rail beside the view, a bar below it on a phone. */
import { useState } from 'preact/hooks';
import { useConnection } from '../page-context.ts';
import { linkTo } from '../router.ts';
import { type View, views } from '../views.ts';
import { Icon } from './icon.tsx';

export function Navigation({ current, onSignOut }: { current: View; onSignOut: () => void }) {
  return (
    <header class="rail">
      <p class="brand">
        <Icon name="face" />
        facepool
      </p>
      <nav aria-label="Views">
        <ul class="views">
          {views.map((view) => (
            <li key={view.path}>
              <a href={linkTo(view.path)} aria-current={view === current ? 'page' : undefined}>
                <Icon name={view.icon} />
                <span>{view.label}</span>
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="rail-end">
        <Connection />
        <ThemeSwitch />
        <button type="button" class="quiet" onClick={onSignOut}>
          <Icon name="exit" />
          <span>Sign out</span>
        </button>
      </div>
    </header>
  );
}

const CONNECTION_WORDS = {
  open: ['good', 'Live'],
  connecting: ['idle', 'Connecting'],
  waiting: ['bad', 'No connection; trying again'],
} as const;

function Connection() {
  const [kind, text] = CONNECTION_WORDS[useConnection()];
  return (
    <p class="connection" role="status">
      <span class={`dot ${kind}`} />
      {text}
    </p>
  );
}

function ThemeSwitch() {
  const isSystemDark = matchMedia('(prefers-color-scheme: dark)').matches;
  const [chosen, setChosen] = useState(document.documentElement.dataset.theme);
  const isDark = chosen === undefined ? isSystemDark : chosen === 'dark';

  function toggle(): void {
    const next = isDark ? 'light' : 'dark';
    document.documentElement.dataset.theme = next;
    setChosen(next);
    try {
      // theme.ts reads it before anything is drawn.
      localStorage.setItem('theme', next);
    } catch {
      // Storage may be forbidden: the choice then lasts as long as the page.
    }
  }

  return (
    <button type="button" class="quiet" onClick={toggle}>
      <Icon name={isDark ? 'sun' : 'moon'} />
      <span>{isDark ? 'Light' : 'Dark'}</span>
    </button>
  );
}
