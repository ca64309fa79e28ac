export * from './free-port.js';
export * from './nats-server.js';
export * from './process.js';
export * from './seeded-random.js';
export * from './temporary-directory.js';
export * from './until.js';
