/** Metrics of boards and of those who watch them, read when somebody asks. */
import { Counter, Gauge, type Registry } from 'prom-client';

export interface DeviceMetricSources {
  readonly devices: () => { readonly total: number; readonly online: number };
  readonly webSocketClients: () => number;
  readonly tunnelPorts: () => number;
}

export type DeviceMetrics = ReturnType<typeof createDeviceMetrics>;

export function createDeviceMetrics(registry: Registry, sources: DeviceMetricSources) {
  const registers = [registry];
  new Gauge({
    name: 'face_devices',
    help: 'Boards that are known, by whether they were heard from lately',
    labelNames: ['state'] as const,
    registers,
    collect() {
      const { total, online } = sources.devices();
      this.set({ state: 'online' }, online);
      this.set({ state: 'offline' }, total - online);
    },
  });
  new Gauge({
    name: 'face_websocket_clients',
    help: 'WebSocket clients that are connected',
    registers,
    collect() {
      this.set(sources.webSocketClients());
    },
  });
  new Gauge({
    name: 'face_ssh_tunnel_ports',
    help: 'Ports of the public host that lead here through the SSH tunnel',
    registers,
    collect() {
      this.set(sources.tunnelPorts());
    },
  });
  return {
    sensorReadingsRemoved: new Counter({
      name: 'face_sensor_readings_removed_total',
      help: 'Stored measurements removed, by the reason',
      labelNames: ['reason'] as const,
      registers,
    }),
  };
}
