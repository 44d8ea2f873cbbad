export { type NatsServerHandle, type NatsServerOptions, startNatsServer } from './nats-server.ts';
