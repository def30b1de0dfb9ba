/** A camera with its last picture, the faces in it, how old it is, and its state. */
import { Age } from '../parts/age.tsx';
import { facesWords } from '../parts/face-boxes.tsx';
import { Icon } from '../parts/icon.tsx';
import { LivePicture } from '../parts/live-picture.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { linkTo } from '../router.ts';
import type { Picture } from '../sources.ts';
import { useSource } from '../use-sources.ts';
import { type CameraView, pictureUrl, sendsWords } from './camera-view.ts';

export function CameraTile({ camera }: { camera: CameraView }) {
  const { cameraId, name, state, trouble } = camera;
  const picture = useSource('camera', cameraId)?.picture ?? lastPicture(camera);
  return (
    <li>
      <a class="camera-tile" href={linkTo('cameras', cameraId)}>
        <div class="tile-picture">
          {picture === null ? (
            <p class="no-picture">
              <Icon name="camera" />
              No picture yet
            </p>
          ) : (
            <LivePicture picture={picture} name={name} />
          )}
        </div>
        <div class="camera-line">
          <span class="tile-name">{name}</span>
          {picture !== null && <Age at={picture.at} />}
          <StateBadge state={state} />
        </div>
        <p class="small muted">
          {trouble ?? (picture?.faces.length ? facesWords(picture.faces) : aboutCamera(camera))}
        </p>
      </a>
    </li>
  );
}

function lastPicture({ cameraId, lastFrameAt, width, height, faces }: CameraView): Picture | null {
  if (lastFrameAt === null || width === null || height === null) return null;
  const at = Date.parse(lastFrameAt);
  return { url: pictureUrl(cameraId, at), at, width, height, faces: faces ?? [] };
}

function aboutCamera(camera: CameraView): string {
  const { slots, saved } = camera;
  if (slots.length === 0) return sendsWords(camera);
  const words = `Slot ${slots.map(({ slotId }) => slotId).join(', ')}`;
  return saved ? words : `${words}, while its session runs`;
}
