/** Something could not be shown or done: what, why, and the way to try again. */
import { Icon } from './icon.tsx';

export interface TroubleProps {
  readonly what: string;
  readonly why: string;
  readonly onRetry?: () => void;
}

export function Trouble({ what, why, onRetry }: TroubleProps) {
  return (
    <div class="notice bad" role="alert">
      <Icon name="warning" />
      <div>
        <p class="strong">{what}</p>
        <p>{why}</p>
      </div>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
