export { type RunningTidegate, startTidegate, type TidegateOptions } from './launcher/up.js';
