/** A view that breaks says so and can be tried again; the rest of the page stays. */
import { Component, type ComponentChildren } from 'preact';
import { words } from '../api.ts';
import { Trouble } from './trouble.tsx';

interface Props {
  readonly children: ComponentChildren;
}

export class ErrorBoundary extends Component<Props, { error: unknown }> {
  override state = { error: null as unknown };

  static override getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error === null) return this.props.children;
    return (
      <Trouble
        what="This view stopped working"
        why={words(this.state.error)}
        onRetry={() => this.setState({ error: null })}
      />
    );
  }
}
