/** mediasoup-client as a module of its own, loaded by who watches: it is CommonJS, whose names only a static import finds. */
import { Device } from 'mediasoup-client';

export const makeDevice = (): Promise<Device> => Device.factory();
