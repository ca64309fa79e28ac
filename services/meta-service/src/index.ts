export { type MetaService, type MetaServiceOptions, startMetaService } from './meta-service.js';
