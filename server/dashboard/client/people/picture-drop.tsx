/** Where pictures are dropped or chosen. */
import { useId, useRef, useState } from 'preact/hooks';
import { Icon } from '../parts/icon.tsx';
import { PICTURE_TYPES } from './calls.ts';

export interface PictureDropProps {
  readonly label: string;
  readonly hint: string;
  readonly multiple?: boolean;
  readonly onPictures: (pictures: readonly File[]) => void;
}

/** A phone's browser opens its camera for such a field, on any page. */
const hasCameraField = matchMedia('(pointer: coarse)').matches;

export function PictureDrop({ label, hint, multiple = false, onPictures }: PictureDropProps) {
  const files = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const hintId = useId();

  function take(list: FileList | null | undefined): void {
    const pictures = [...(list ?? [])];
    if (pictures.length > 0) onPictures(multiple ? pictures : pictures.slice(0, 1));
  }

  function chosen(event: Event & { currentTarget: HTMLInputElement }): void {
    take(event.currentTarget.files);
    // The same file may be chosen again.
    event.currentTarget.value = '';
  }

  return (
    <fieldset
      class={`drop ${over ? 'over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <legend class="hidden">{label}</legend>
      <div class="button-row">
        <button
          type="button"
          class="primary"
          aria-describedby={hintId}
          onClick={() => files.current?.click()}
        >
          <Icon name="add" />
          {label}
        </button>
        {hasCameraField && (
          <button type="button" onClick={() => camera.current?.click()}>
            <Icon name="camera" />
            Take a picture
          </button>
        )}
      </div>
      <input
        ref={files}
        hidden
        type="file"
        aria-label={label}
        accept={PICTURE_TYPES}
        multiple={multiple}
        onChange={chosen}
      />
      {hasCameraField && (
        <input
          ref={camera}
          hidden
          type="file"
          aria-label="Take a picture"
          accept={PICTURE_TYPES}
          capture="user"
          onChange={chosen}
        />
      )}
      <p id={hintId} class="muted small">
        {hint}
        {!hasCameraField && ' Pictures can also be dropped here.'}
      </p>
    </fieldset>
  );
}
