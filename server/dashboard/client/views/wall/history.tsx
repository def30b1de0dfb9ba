/** The stored frames of a board, newest first. */
import { useState } from 'preact/hooks';
import { timeWords } from '../../clock.ts';
import { Empty } from '../../parts/empty.tsx';
import { Progress } from '../../parts/progress.tsx';
import { Trouble } from '../../parts/trouble.tsx';
import { useAnswer } from '../../use-answer.ts';
import { type StoredFrame, StoredFrameDialog } from './stored-frame.tsx';

const PAGE_FRAMES = 48;
const MOST_FRAMES = 960;

export function History({ deviceId }: { deviceId: string }) {
  const [limit, setLimit] = useState(PAGE_FRAMES);
  const [open, setOpen] = useState<StoredFrame | null>(null);
  const { answer, error, reload } = useAnswer<{ data: readonly StoredFrame[] }>(
    `/api/v1/stream/frames?deviceId=${encodeURIComponent(deviceId)}&limit=${limit}`,
  );
  const frames = answer?.data ?? [];
  if (error) return <Trouble what="The frames could not be listed" why={error.message} onRetry={reload} />;
  if (answer === null) return <Progress label="Loading the frames" />;
  if (frames.length === 0)
    return (
      <Empty icon="recordings" title="No stored frame">
        <p>
          Frames are kept for minutes (<code>FRAME_RETENTION_S</code>). To keep a scene, record it.
        </p>
      </Empty>
    );
  return (
    <>
      <p class="muted small below-picture">
        {frames.length} newest frames
        <button type="button" onClick={reload}>
          Load again
        </button>
      </p>
      <ul class="thumbs">
        {frames.map((frame) => (
          <li key={frame.name}>
            <button type="button" class="thumb" onClick={() => setOpen(frame)}>
              <img src={frame.url} alt="" loading="lazy" decoding="async" />
              <span>{timeWords(frame.createdAt)}</span>
            </button>
          </li>
        ))}
      </ul>
      {frames.length === limit && limit < MOST_FRAMES && (
        <button type="button" onClick={() => setLimit(limit * 2)}>
          Show older frames
        </button>
      )}
      {open && <StoredFrameDialog key={open.name} frame={open} onClose={() => setOpen(null)} />}
    </>
  );
}
