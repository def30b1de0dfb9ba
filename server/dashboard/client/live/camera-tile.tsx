/** A camera with its last picture, the faces in it, how old it is, and its state. */
import { useState } from 'preact/hooks';
import { useMessages } from '../page-context.ts';
import { facesWords } from '../parts/face-boxes.tsx';
import { LivePicture } from '../parts/live-picture.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { linkTo } from '../router.ts';
import type { Picture } from '../sources.ts';
import { type CameraView, pictureUrl } from './camera-view.ts';

export function CameraTile({ camera }: { camera: CameraView }) {
  const { cameraId, name, lastFrameAt, width, height } = camera;
  const [seen, setSeen] = useState<Picture | null>(null);
  useMessages(
    'looked-at',
    ({ source, at, width, height, faces }) => {
      if (source.kind === 'camera' && source.id === cameraId)
        setSeen({ url: pictureUrl(cameraId, at), at, width, height, faces });
    },
    [cameraId],
  );
  const picture = seen ?? lastPicture();

  function lastPicture(): Picture | null {
    if (lastFrameAt === null || width === null || height === null) return null;
    const at = Date.parse(lastFrameAt);
    return { url: pictureUrl(cameraId, at), at, width, height, faces: [] };
  }

  return (
    <li>
      <a class="camera-tile" href={linkTo('cameras', cameraId)}>
        <span class="camera-picture">
          {picture === null ? (
            <span class="small">No picture yet</span>
          ) : (
            <LivePicture picture={picture} name={name} />
          )}
        </span>
        <span class="camera-line">
          <span class="strong">{name}</span>
          <StateBadge state={camera.state} />
        </span>
        <span class="small muted">
          {seen?.faces.length ? facesWords(seen.faces) : (camera.trouble ?? sessionsOf(camera))}
        </span>
      </a>
    </li>
  );
}

function sessionsOf({ slots, saved }: CameraView): string {
  if (slots.length === 0) return 'Nobody to be seen';
  const words = `Slot ${slots.map(({ slotId }) => slotId).join(', ')}`;
  return saved ? words : `${words}, while its session runs`;
}
