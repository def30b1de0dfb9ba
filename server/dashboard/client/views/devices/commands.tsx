/** Tells a board to do something; it hears of it with its next heartbeat. */
import { useState } from 'preact/hooks';
import { call, words } from '../../api.ts';
import { usePage } from '../../page-context.ts';
import { Confirm } from '../../parts/dialog.tsx';
import type { DeviceRecord } from '../../sources.ts';

const KNOWN = [
  { command: 'ping', label: 'Ping', tells: 'Asks for a sign of life.' },
  { command: 'snapshot', label: 'Take a picture', tells: 'Has the board send a frame at once.' },
] as const;

export function Commands({ device, onSent }: { device: DeviceRecord; onSent: () => void }) {
  const { say } = usePage();
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const [name, setName] = useState('');

  async function send(command: string): Promise<boolean> {
    setBusy(true);
    try {
      await call(`/api/v1/devices/${encodeURIComponent(device.deviceId)}/command`, {
        method: 'POST',
        json: { command },
      });
      say(`“${command}” waits for the next heartbeat of ${device.name}.`);
      onSent();
      return true;
    } catch (error) {
      say(words(error), 'bad');
      return false;
    } finally {
      setBusy(false);
    }
  }

  return (
    <div class="stack">
      <p class="muted small">
        A board hears of a command with its next heartbeat.
        {device.status === 'offline' && ' This one is silent: the command waits until it is back.'}
      </p>
      <div class="button-row">
        {KNOWN.map(({ command, label, tells }) => (
          <button
            key={command}
            type="button"
            disabled={busy}
            title={tells}
            onClick={() => void send(command)}
          >
            {label}
          </button>
        ))}
        <button type="button" class="danger" disabled={busy} onClick={() => setAsking(true)}>
          Restart
        </button>
      </div>
      <form
        class="inline-form"
        onSubmit={(event) => {
          event.preventDefault();
          void send(name.trim()).then((sent) => sent && setName(''));
        }}
      >
        <label>
          Another command
          <input
            value={name}
            maxLength={64}
            required
            placeholder="name that the board knows"
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <button type="submit" disabled={busy || name.trim() === ''}>
          Send
        </button>
      </form>
      {asking && (
        <Confirm
          title={`Restart ${device.name}?`}
          action="Restart"
          onConfirm={() => void send('restart')}
          onClose={() => setAsking(false)}
        >
          <p>It sends no frames until it is back, usually after some seconds.</p>
        </Confirm>
      )}
    </div>
  );
}
