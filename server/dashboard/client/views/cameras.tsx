/** Cameras: their tiles, one of them live, and a form to save another. */
import { useState } from 'preact/hooks';
import { CameraForm } from '../live/camera-form.tsx';
import { CameraPage } from '../live/camera-page.tsx';
import { CameraTile } from '../live/camera-tile.tsx';
import type { CameraView } from '../live/camera-view.ts';
import { useMessages } from '../page-context.ts';
import { Empty } from '../parts/empty.tsx';
import { Icon } from '../parts/icon.tsx';
import { Progress } from '../parts/progress.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { goTo } from '../router.ts';
import { useAnswer } from '../use-answer.ts';
import type { ViewProps } from '../views.ts';

const REFRESH_EVERY_MS = 15_000;

export default function Cameras({ rest }: ViewProps) {
  const { answer, error, reload, change } = useAnswer<{ readonly data: readonly CameraView[] }>(
    '/api/v1/cameras',
    REFRESH_EVERY_MS,
  );
  const [adding, setAdding] = useState(false);
  useMessages('camera-status', ({ cameraId, state, trouble }) => {
    change((now) => ({
      data: now.data.map((camera) => (camera.cameraId === cameraId ? { ...camera, state, trouble } : camera)),
    }));
  });
  const cameras = answer?.data ?? null;
  const shown = cameras?.find(({ cameraId }) => cameraId === rest[0]);

  if (shown) return <CameraPage camera={shown} onChanged={reload} />;
  return (
    <>
      <header class="view-head">
        <h1>Cameras</h1>
        {!adding && (
          <div class="actions">
            <button type="button" class="primary" onClick={() => setAdding(true)}>
              <Icon name="add" />
              Add a camera
            </button>
          </div>
        )}
      </header>
      {adding && (
        <CameraForm
          onDone={(saved) => {
            setAdding(false);
            reload();
            if (saved) goTo('cameras', saved.cameraId);
          }}
        />
      )}
      {rest[0] !== undefined && cameras !== null && (
        <Trouble what="This camera is not known any more" why="It was deleted, or its session has ended." />
      )}
      {error && <Trouble what="The cameras could not be listed" why={error.message} onRetry={reload} />}
      {cameras === null && error === null && <Progress label="Loading the cameras" />}
      {cameras?.length === 0 && !adding && (
        <Empty icon="camera" title="No camera yet">
          <p>
            Add one by its RTSP address, which its manual or its app tells: it is looked at every few seconds,
            and can be watched live. Cameras of attendance sessions appear here while a session runs.
          </p>
        </Empty>
      )}
      <ul class="camera-tiles">
        {cameras?.map((camera) => (
          <CameraTile key={camera.cameraId} camera={camera} />
        ))}
      </ul>
    </>
  );
}
