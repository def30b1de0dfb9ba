/** A camera live, and in words how it is seen, or why it is not. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../parts/icon.tsx';
import { Progress } from '../parts/progress.tsx';
import { type PlayerState, play } from './player.ts';

export function LiveVideo({ cameraId, name }: { cameraId: string; name: string }) {
  const video = useRef<HTMLVideoElement>(null);
  const [state, setState] = useState<PlayerState>({ kind: 'connecting' });
  useEffect(() => {
    if (!video.current) return;
    const player = play(video.current, cameraId, setState);
    return () => player.close();
  }, [cameraId]);

  const isPictures = state.kind === 'mjpeg';
  return (
    <div class="live">
      <div class="live-frame">
        <video ref={video} muted playsInline autoPlay hidden={isPictures} aria-label={`${name}, live`} />
        {isPictures && <img src={state.url} alt={`${name}, live`} />}
        {state.kind === 'waiting' && (
          <p class="no-picture" aria-hidden="true">
            <Icon name="camera" />
            No picture
          </p>
        )}
        {state.kind === 'connecting' && <Progress label="Connecting to the camera" />}
      </div>
      <p class="small muted" role="status">
        {describe(state)}
      </p>
    </div>
  );
}

function describe(state: PlayerState): string {
  if (state.kind === 'webrtc') return 'Live by WebRTC.';
  if (state.kind === 'mjpeg') return `Live as single pictures, up to ten a second. ${state.why}`;
  if (state.kind === 'waiting') return `${state.why} Trying again.`;
  return 'The first picture comes with the camera’s next key frame.';
}
