export { benchSpill, type SpillRow } from './spill.js';
