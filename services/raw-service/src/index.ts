export { type RawService, type RawServiceOptions, startRawService } from './raw-service.js';
