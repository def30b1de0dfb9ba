/** What became of each picture that was uploaded, and what to do about those that were refused. */
import { useState } from 'preact/hooks';
import { sentence } from '../api.ts';
import { Icon } from '../parts/icon.tsx';
import { Badge } from '../parts/state-badge.tsx';
import { ChooseFace } from './choose-face.tsx';
import type { Upload, Uploads } from './use-uploads.ts';
import { countWords } from './words.ts';

export function UploadList({ uploads, name }: { uploads: Uploads; name: string }) {
  const [choosing, setChoosing] = useState<Upload | null>(null);
  const { list } = uploads;
  if (list.length === 0) return null;
  const done = list.filter(({ state }) => state.kind === 'enrolled' || state.kind === 'refused').length;

  return (
    <>
      {done < list.length && (
        <div class="progress" role="status">
          <p>{`${done} of ${countWords(list.length, 'picture', 'pictures')} done`}</p>
          <progress max={list.length} value={done} aria-label="Pictures done" />
        </div>
      )}
      <ul class="uploads" aria-live="polite">
        {list.map((upload) => (
          <li key={upload.id}>
            <img src={upload.url} alt="" width={48} height={48} />
            <div>
              <p class="strong file-name">{upload.file.name}</p>
              <Outcome upload={upload} onChoose={() => setChoosing(upload)} />
            </div>
            {(upload.state.kind === 'enrolled' || upload.state.kind === 'refused') && (
              <button
                type="button"
                class="quiet icon-only"
                aria-label={`Take ${upload.file.name} off the list`}
                onClick={() => uploads.dismiss(upload.id)}
              >
                <Icon name="close" />
              </button>
            )}
          </li>
        ))}
      </ul>
      {choosing !== null && (
        <ChooseFace
          picture={choosing.file}
          url={choosing.url}
          name={name}
          onEnrolled={(answer) => uploads.enrolled(choosing.id, answer)}
          onClose={() => setChoosing(null)}
        />
      )}
    </>
  );
}

function Outcome({ upload: { state }, onChoose }: { upload: Upload; onChoose: () => void }) {
  switch (state.kind) {
    case 'waiting':
      return <p class="muted">Waiting</p>;
    case 'sending':
      return <p class="muted">The server looks at it</p>;
    case 'enrolled':
      return (
        <>
          <Badge mood="good">Enrolled</Badge>
          {state.warnings.map((warning) => (
            <p key={warning}>{sentence(warning)}</p>
          ))}
        </>
      );
    case 'refused':
      return (
        <>
          <Badge mood="bad">Refused</Badge>
          <p>{state.why}</p>
          {state.severalFaces && (
            <button type="button" onClick={onChoose}>
              Choose the face
            </button>
          )}
        </>
      );
  }
}
