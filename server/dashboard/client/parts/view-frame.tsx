/** Loads the module of a view when it is first shown. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { usePage } from '../page-context.ts';
import type { View, ViewProps } from '../views.ts';
import { Progress } from './progress.tsx';
import { Trouble } from './trouble.tsx';

const loaded = new Map<string, ComponentType<ViewProps>>();

export function ViewFrame({ view, rest }: { view: View; rest: readonly string[] }) {
  const { socket } = usePage();
  const [attempt, setAttempt] = useState(0);
  const [failed, setFailed] = useState(false);
  const [, setShown] = useState('');

  useEffect(() => {
    if (loaded.has(view.path)) return;
    let current = true;
    setFailed(false);
    view.load().then(
      (module) => {
        loaded.set(view.path, module.default);
        if (current) setShown(view.path);
      },
      () => current && setFailed(true),
    );
    return () => {
      current = false;
    };
  }, [view, attempt]);

  useEffect(() => {
    if (!failed) return;
    // Not asked for again: some browsers remember the failure of a module, and the server may be a newer one with other names.
    return socket.onReopened(() => location.reload());
  }, [failed, socket]);

  const Shown = loaded.get(view.path);
  if (Shown) return <Shown rest={rest} />;
  if (failed)
    return (
      <Trouble
        what="This part of the page could not be loaded"
        why="The connection may be gone, or the server runs a newer version. Load the page again if trying again does not help."
        onRetry={() => setAttempt((count) => count + 1)}
      />
    );
  return <Progress label="Loading" />;
}
