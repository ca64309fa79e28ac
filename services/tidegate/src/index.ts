export { formatBytes } from './format/bytes.js';
export { type Column, tableLines } from './format/table.js';
export { type RunningTidegate, startTidegate, type TidegateOptions } from './launcher/up.js';
