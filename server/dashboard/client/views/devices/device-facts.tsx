/** What is known of a board. */
import { durationWords } from '../../clock.ts';
import { Age } from '../../parts/age.tsx';
import { Fact, Facts } from '../../parts/facts.tsx';
import { Signal } from '../../parts/signal.tsx';
import type { DeviceRecord } from '../../sources.ts';

export function DeviceFacts({ device }: { device: DeviceRecord }) {
  return (
    <>
      <Facts>
        <Fact name="Id">
          <code>{device.deviceId}</code>
        </Fact>
        <Fact name="Address">
          <code>{device.ipAddress}</code>
        </Fact>
        <Fact name="Last heard">
          <Age at={device.lastSeen} />
        </Fact>
        <Fact name="Running for">{device.uptime > 0 ? durationWords(device.uptime) : 'not told'}</Fact>
        <Fact name="Free memory">{memoryWords(device.freeHeap)}</Fact>
        <Fact name="Signal">
          <Signal dbm={device.wifiRssi} />
        </Fact>
        {device.capabilities.length > 0 && <Fact name="Can do">{device.capabilities.join(', ')}</Fact>}
        <Fact name="Refused frames">{device.errorCount === 0 ? 'none' : device.errorCount}</Fact>
      </Facts>
      {device.errors.length > 0 && (
        <details>
          <summary>What was wrong with the last of them</summary>
          <ul class="sentences">
            {device.errors.toReversed().map((text, i) => (
              <li key={`${i} ${text}`}>{text}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

export function memoryWords(bytes: number): string {
  if (bytes <= 0) return 'not told';
  return bytes >= 1024 * 1024 ? `${(bytes / 1024 / 1024).toFixed(1)} MiB` : `${Math.round(bytes / 1024)} KiB`;
}
